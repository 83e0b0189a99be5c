//! Where a server comes from, and the order in which sources are tried.

use std::path::PathBuf;

use super::binaries::{self, Binaries};
use super::user::RunAs;
use crate::error::{Error, ErrorKind, Result};

/// Where a throwaway server comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The first that works: `RLS_TOOL_PG_BIN`, then PATH, then the usual places.
    #[default]
    Auto,
    /// The programs (`initdb`, `postgres`) in this folder.
    Folder(PathBuf),
}

impl Source {
    /// The programs to run, of `version` where one is wanted.
    pub(super) fn binaries(&self, version: Option<u32>, user: &RunAs) -> Result<Binaries> {
        let fits = |found: &Binaries| version.is_none_or(|wanted| wanted == found.version);
        let mut tried = Vec::new();
        let describe = |found: &Binaries| format!("{} is version {}", found.folder.display(), found.version);
        let named = match self {
            Self::Auto => binaries::named_folders(),
            Self::Folder(folder) => vec![folder.clone()],
        };
        // What the user named must be right; only a version that is not wanted goes on to the next source.
        for folder in named {
            let found = Binaries::in_folder(&folder, user).map_err(|cause| {
                Error::new(
                    ErrorKind::Server,
                    format!("{} has no PostgreSQL that can be run", folder.display()),
                )
                .caused_by(cause)
                .with_help(format!(
                    "name a folder that holds initdb and postgres, and that {} can read",
                    user.name()
                ))
            })?;
            if fits(&found) {
                return Ok(found);
            }
            tried.push(describe(&found));
        }
        if *self == Self::Auto {
            for folder in binaries::usual_folders() {
                match Binaries::in_folder(&folder, user) {
                    Ok(found) if fits(&found) => return Ok(found),
                    Ok(found) => tried.push(describe(&found)),
                    Err(error) => tried.push(error.chain()),
                }
            }
        }
        let wanted = version.map_or("PostgreSQL".to_owned(), |version| format!("PostgreSQL {version}"));
        let tried = if tried.is_empty() {
            "none is installed".to_owned()
        } else {
            tried.join("; ")
        };
        Err(
            Error::new(ErrorKind::Server, format!("no {wanted} was found: {tried}")).with_help(format!(
                "install PostgreSQL, or name the folder that holds its initdb and postgres in {}",
                binaries::VARIABLE
            )),
        )
    }
}
