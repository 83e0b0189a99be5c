//! The password file: `host:port:database:user:password` lines, libpq's `~/.pgpass`.
//!
//! As with libpq the first matching line wins, `*` matches anything, `\` escapes, and a file that others can read is
//! ignored with a warning.

use std::fs;
use std::path::Path;

/// Which password is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// A host name, or the folder of a Unix socket.
    pub(super) host: &'a str,
    /// The port.
    pub(super) port: u16,
    /// The database.
    pub(super) database: &'a str,
    /// The user.
    pub(super) user: &'a str,
}

/// The text of the file, or `None` where it does not exist or must not be used.
pub(super) fn read(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() {
        tracing::warn!(path = %path.display(), "the password file is not a plain file and is ignored");
        return None;
    }
    if readable_by_others(&metadata) {
        tracing::warn!(
            path = %path.display(),
            "the password file is ignored because others can read it; chmod 0600 it"
        );
        return None;
    }
    fs::read_to_string(path)
        .inspect_err(
            |error| tracing::warn!(path = %path.display(), %error, "the password file cannot be read"),
        )
        .ok()
}

/// Whether group or others have any permission on the file; never on systems without such permissions.
pub(super) fn readable_by_others(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.permissions().mode() & 0o077 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// The password of the first line that matches.
pub(super) fn find(text: &str, wanted: &Wanted<'_>) -> Option<String> {
    // libpq writes "localhost" for a socket in the default folder.
    let host = if DEFAULT_SOCKET_FOLDERS.contains(&wanted.host) {
        "localhost"
    } else {
        wanted.host
    };
    let port = wanted.port.to_string();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = fields(line);
            let [of_host, of_port, of_database, of_user, password] = fields.as_slice() else {
                return None;
            };
            let matches = |field: &Field, value: &str| field.any || field.text == value;
            (matches(of_host, host)
                && matches(of_port, &port)
                && matches(of_database, wanted.database)
                && matches(of_user, wanted.user))
            .then(|| password.text.clone())
        })
}

/// Where PostgreSQL puts its Unix socket when nobody says otherwise: Debian's and the project's own default.
pub(super) const DEFAULT_SOCKET_FOLDERS: &[&str] = &["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// One field of a line; `*` alone is anything, `\*` is a star.
#[derive(Default)]
struct Field {
    text: String,
    any: bool,
}

/// The first four fields, and all that follows as the fifth.
fn fields(line: &str) -> Vec<Field> {
    let mut fields = vec![Field::default()];
    let mut raw_start = 0;
    let mut chars = line.char_indices();
    while let Some((index, c)) = chars.next() {
        let count = fields.len();
        let Some(field) = fields.last_mut() else { break };
        match c {
            '\\' => field.text.extend(chars.next().map(|(_, escaped)| escaped)),
            ':' if count < 5 => {
                field.any = &line[raw_start..index] == "*";
                raw_start = index + 1;
                fields.push(Field::default());
            }
            // A colon ends the password too, as in libpq.
            ':' => break,
            c => field.text.push(c),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\ndb.example:5432:shop:app:first\ndb.example:*:*:app:se\\:co\\\\nd\n\
                        localhost:5432:*:app:socket\n*:*:*:nobody:last:ignored\n";

    fn wanted<'a>(host: &'a str, port: u16, user: &'a str) -> Wanted<'a> {
        Wanted {
            host,
            port,
            database: "shop",
            user,
        }
    }

    #[test]
    fn the_first_matching_line_wins() {
        let get = |host, port, user| find(FILE, &wanted(host, port, user));
        assert_eq!(get("db.example", 5432, "app").as_deref(), Some("first"));
        assert_eq!(get("db.example", 6432, "app").as_deref(), Some("se:co\\nd"));
        assert_eq!(get("/var/run/postgresql", 5432, "app").as_deref(), Some("socket"));
        assert_eq!(get("other", 1, "nobody").as_deref(), Some("last"));
        assert_eq!(get("other", 1, "app"), None);
        assert_eq!(find("\\*:*:*:*:x", &wanted("h", 1, "u")), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_ignored() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        fs::write(&path, FILE).unwrap();
        for (mode, used) in [(0o600, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).is_some(), used, "{mode:o}");
        }
        assert_eq!(read(folder.path()), None);
    }
}
