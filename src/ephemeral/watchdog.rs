//! A small shell process that outlives us and cleans up when we are gone.
//!
//! No handler of ours runs on SIGKILL, and statics are never dropped; the end of a pipe is noticed in every case.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::{Error, ErrorKind, Result};

const SCRIPT: &str = include_str!("watchdog.sh");

/// Deletes a directory, and stops what runs in it, once this process is gone.
#[derive(Debug)]
pub(super) struct Watchdog {
    child: Child,
    /// The write end, close-on-exec: no other process ever holds it.
    pipe: ChildStdin,
}

impl Watchdog {
    /// Starts to watch over `dir`.
    pub(super) fn over(dir: &Path) -> Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "rls-tool-watchdog"])
            .arg(dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            // Not ours: whoever reads our output to its end (cargo, nextest, a shell) must not wait for the watchdog.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|cause| {
                Error::new(ErrorKind::Server, "failed to start the clean-up process /bin/sh").caused_by(cause)
            })?;
        let pipe = child
            .stdin
            .take()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a piped stdin is missing"))?;
        Ok(Self { child, pipe })
    }

    /// From now on `signal` to the process group `pid` is what stops the work in the directory.
    pub(super) fn stops_with(&mut self, signal: &str, pid: u32) {
        self.tell(signal, pid);
    }

    /// There is nothing left to clean.
    pub(super) fn dismiss(mut self) {
        self.tell("DONE", 0);
        drop(self.pipe);
        drop(self.child.wait());
    }

    /// The server outlives us: delete when it ends by itself.
    pub(super) fn keep(mut self, pid: u32) {
        self.tell("KEEP", pid);
    }

    fn tell(&mut self, word: &str, pid: u32) {
        // A watchdog that somebody killed leaves the work to Drop and to the next start's sweep.
        if let Err(error) = writeln!(self.pipe, "{word} {pid}") {
            tracing::debug!(%error, "the watchdog is gone");
        }
    }
}
