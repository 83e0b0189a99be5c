//! Whom PostgreSQL's programs run as: ourselves, or an unprivileged user when we are root, which PostgreSQL refuses.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use crate::error::{Error, ErrorKind, Result};

/// Tried in this order; PostgreSQL looks its user up by name, so an unknown number would not do.
const UNPRIVILEGED: [&str; 4] = ["postgres", "nobody", "daemon", "bin"];

/// Whom PostgreSQL runs as.
#[derive(Debug, Clone)]
pub(super) enum RunAs {
    /// The user of this process.
    Ourselves,
    /// We are root and step down to this user.
    Unprivileged { name: String, uid: u32, gid: u32 },
}

impl RunAs {
    /// Ourselves unless root; then the first of the usual unprivileged users that exists.
    pub(super) fn choose() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        UNPRIVILEGED
            .into_iter()
            .filter_map(|name| User::from_name(name).ok().flatten())
            .find(|user| !user.uid.is_root())
            .map(|user| Self::Unprivileged {
                name: user.name,
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            })
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Server,
                    "PostgreSQL refuses to run as root, and there is no unprivileged user to run it as",
                )
                .with_help(format!(
                    "create one of the users {}, or run as an ordinary user",
                    UNPRIVILEGED.join(", ")
                ))
            })
    }

    /// A command that runs `program` as this user, in a process group of its own (so that a terminal's Ctrl-C does not
    /// reach it), without our environment: `PGDATA`, `PGPORT` or `PGOPTIONS` must not leak into it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C");
        for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        // Our own working directory may be one that the other user cannot enter.
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if let Self::Unprivileged { uid, gid, .. } = self {
            // The standard library also drops root's supplementary groups then.
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Makes this user the owner of `path`.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Unprivileged { uid, gid, .. } => std::os::unix::fs::chown(path, Some(*uid), Some(*gid))
                .map_err(|cause| Error::io(path, "change the owner of", cause)),
        }
    }

    /// Whether we run PostgreSQL as somebody else.
    pub(super) fn is_other(&self) -> bool {
        matches!(self, Self::Unprivileged { .. })
    }

    /// For messages.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Ourselves => "the current user",
            Self::Unprivileged { name, .. } => name,
        }
    }
}
