//! Names of databases on the server: whose they are can be read off them, so that what a killed process left behind is
//! found and dropped.

use sha2::{Digest, Sha256};

use crate::sql::{Ident, Literal};

/// Every database of a test.
pub(super) const PREFIX: &str = "rls_test_";
/// Every template; told from the others by a word where those have hexadecimal digits.
pub(super) const TEMPLATE: &str = "rls_test_template_";
/// PostgreSQL's own empty template.
pub(super) const EMPTY: &str = "template0";
/// The owner of test databases where the connection is a superuser's.
pub(super) const OWNER: &str = "rls_test_owner";
/// The first key of the advisory locks that processes hold, the second being their number.
pub(super) const LOCK: i32 = 0x0072_6c73;

/// The first hexadecimal digits of a hash over the pieces.
pub(super) fn digest(pieces: &[&str]) -> String {
    let mut hash = Sha256::new();
    for piece in pieces {
        // Length first, so that no two lists of pieces run together.
        hash.update((piece.len() as u64).to_le_bytes());
        hash.update(piece);
    }
    let bytes = hash.finalize();
    let number = u64::from_be_bytes(std::array::from_fn(|place| bytes[place]));
    format!("{number:016x}")
}

/// What identifies a process among those that use one maintenance database.
#[derive(Debug, Clone)]
pub(super) struct Process {
    /// Advisory locks hold within one database: only processes with the same one can tell whether others live.
    place: String,
    number: u32,
}

impl Process {
    pub(super) fn new(maintenance_database: &str, number: u32) -> Self {
        Self {
            place: digest(&[maintenance_database])[..4].to_owned(),
            // The lock's key is a signed number.
            number: number >> 1,
        }
    }

    /// The name of a test's database.
    pub(super) fn database(&self, count: u32, hint: &str) -> String {
        // PostgreSQL cuts names after 63 bytes.
        let hint: String = hint
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .take(24)
            .collect();
        format!(
            "{PREFIX}{}{:08x}_{count}_{}",
            self.place,
            self.number,
            hint.to_lowercase()
        )
        .trim_end_matches('_')
        .to_owned()
    }

    /// Something that no other process has.
    pub(super) fn nonce(&self) -> String {
        format!("{}{:08x}", self.place, self.number)
    }

    /// Takes the lock by which others see that we live.
    pub(super) fn greeting(&self) -> String {
        format!("SELECT pg_catalog.pg_advisory_lock({LOCK}, {})", self.number)
    }

    /// The number of the process whose database this is, if it used the same maintenance database.
    pub(super) fn number_in(&self, name: &str) -> Option<i32> {
        let rest = name.strip_prefix(PREFIX)?.strip_prefix(self.place.as_str())?;
        let number = rest.get(..8).filter(|_| rest.as_bytes().get(8) == Some(&b'_'))?;
        i32::from_str_radix(number, 16).ok()
    }
}

/// A template's name: of a day, so that old ones can be told.
pub(super) fn template(day: u64, content: &str) -> String {
    format!("{TEMPLATE}{day}_{content}")
}

/// The day of a template.
pub(super) fn day_of(name: &str) -> Option<u64> {
    name.strip_prefix(TEMPLATE)?.split('_').next()?.parse().ok()
}

/// `CREATE DATABASE … OWNER … TEMPLATE …`.
pub(super) fn create_database(name: &Ident, owner: &Ident, template: &Ident) -> String {
    format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}")
}

/// `DROP DATABASE`, whoever is connected.
pub(super) fn drop_database(name: &Ident) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

/// The attributes of a role that an application may be, and its password.
pub(super) fn create_role(name: &Ident, further: &str, password: Option<&Literal<'_>>) -> String {
    let password = password
        .map(|password| format!(" PASSWORD {password}"))
        .unwrap_or_default();
    format!("CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION{further}{password}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_databases_process_is_read_off_its_name() {
        let process = Process::new("postgres", u32::MAX);
        let name = process.database(7, "Träume von\"Tabellen\" die viel zu lang sind");
        assert!(
            name.len() < 60 && name.ends_with("_7_trumevontabellendievielz"),
            "{name}"
        );
        assert_eq!(process.number_in(&name), Some(i32::MAX));
        assert_eq!(Process::new("other", 1).number_in(&name), None);
        assert_eq!(process.number_in(&template(20_000, "0123456789abcdef")), None);
        assert_eq!(process.number_in(&process.database(7, "")), Some(i32::MAX));
    }

    #[test]
    fn a_templates_day_is_read_off_its_name() {
        assert_eq!(day_of(&template(20_000, "0123456789abcdef")), Some(20_000));
        assert_eq!(day_of("rls_test_0123"), None);
    }
}
