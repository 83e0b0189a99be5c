//! The directory of one server, and removing those whose owner died without cleaning.
//!
//! The owner holds a lock on a file in it. The kernel releases that with the process, so "is the owner alive" needs no
//! process ids, which are reused, and works across containers that share a temp folder.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::unistd::geteuid;

use super::process;
use super::user::RunAs;
use crate::error::{Error, ErrorKind, Result};

/// A directory that may be swept once nobody holds its lock.
const PREFIX: &str = "rls-tool-pg-";
/// One that is being made and may not have its lock yet.
const NEW_PREFIX: &str = "rls-tool-new-";
const LOCK: &str = "owner.lock";
const SERVER: &str = "server.pid";
/// In a directory whose server outlives its starter on purpose.
const KEPT: &str = "kept";
/// How long making a directory may take at the very most.
const STALE: Duration = Duration::from_hours(1);

/// A locked directory of our own. Dropping it releases the lock and leaves the files: see [`WorkDir::remove`].
#[derive(Debug)]
pub(super) struct WorkDir {
    path: PathBuf,
    _lock: File,
}

impl WorkDir {
    /// Makes the directory and in it `data`, owned by the user that PostgreSQL runs as.
    pub(super) fn create(user: &RunAs) -> Result<Self> {
        let base = bases(user).into_iter().next().ok_or_else(|| {
            Error::new(
                ErrorKind::Server,
                format!("{} can reach no temporary folder", user.name()),
            )
            .with_help("set TMPDIR to a folder that every user may enter, such as /tmp")
        })?;
        let new = tempfile::Builder::new()
            .prefix(NEW_PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&base)
            .map_err(|cause| Error::io(&base, "make a directory in", cause))?;
        let lock_path = new.path().join(LOCK);
        let lock = File::create_new(&lock_path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|cause| Error::io(&lock_path, "lock", cause))?;
        let data = new.path().join("data");
        DirBuilder::new()
            .mode(0o700)
            .create(&data)
            .map_err(|cause| Error::io(&data, "make", cause))?;
        if user.is_other() {
            user.own(&data)?;
            // They must pass through ours to reach theirs, no more.
            fs::set_permissions(new.path(), Permissions::from_mode(0o711))
                .map_err(|cause| Error::io(new.path(), "open", cause))?;
        }
        let name = new.path().file_name().unwrap_or_default().to_string_lossy();
        let path = base.join(name.replacen(NEW_PREFIX, PREFIX, 1));
        // Only with the lock in hand under the name that others sweep.
        fs::rename(new.path(), &path).map_err(|cause| Error::io(&path, "make", cause))?;
        let _: PathBuf = new.keep();
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// PostgreSQL's data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// A file beside the data directory, which PostgreSQL's user cannot replace.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Notes the server's process for a sweep.
    pub(super) fn note_server(&self, pid: u32) -> Result<()> {
        let path = self.file(SERVER);
        fs::write(&path, pid.to_string()).map_err(|cause| Error::io(&path, "write", cause))
    }

    /// No sweep touches the directory while its server runs.
    pub(super) fn mark_kept(&self) -> Result<()> {
        let path = self.file(KEPT);
        fs::write(&path, "").map_err(|cause| Error::io(&path, "write", cause))
    }

    /// Deletes everything.
    pub(super) fn remove(&self) {
        remove(&self.path);
    }
}

/// Deletes `path`; a server that was told to stop may be writing its last file meanwhile.
fn remove(path: &Path) {
    for _ in 0..20 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::debug!(%error, path = %path.display(), "could not delete, trying again");
                std::thread::sleep(Duration::from_millis(50));
            }
            _ => return,
        }
    }
}

/// Temporary folders that `user` can reach, the preferred one first.
fn bases(user: &RunAs) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = Vec::new();
    for folder in [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()] {
        // Resolved, because PostgreSQL reports its data directory resolved.
        let Ok(folder) = folder.canonicalize() else {
            continue;
        };
        if folder.is_dir() && (!user.is_other() || anybody_may_enter(&folder)) && !list.contains(&folder) {
            list.push(folder);
        }
    }
    list
}

/// Whether every folder down to `path` lets all users pass.
fn anybody_may_enter(path: &Path) -> bool {
    path.ancestors()
        .all(|folder| fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o001 != 0))
}

/// Stops the servers and deletes the directories of this user's owners that are gone; gives what it deleted.
pub(super) fn sweep(user: &RunAs) -> Vec<PathBuf> {
    let mut swept = Vec::new();
    for base in bases(user) {
        for entry in fs::read_dir(&base).into_iter().flatten().flatten() {
            let path = entry.path();
            if is_dead(&path, &entry.file_name().to_string_lossy()) {
                tracing::debug!(path = %path.display(), "deleting what a killed run left");
                remove(&path);
                swept.push(path);
            }
        }
    }
    swept
}

/// Whether `path` is a directory of ours without an owner; stops the server in it. When in doubt, no.
fn is_dead(path: &Path, name: &str) -> bool {
    let new = name.starts_with(NEW_PREFIX);
    if !new && !name.starts_with(PREFIX) {
        return false;
    }
    let Ok(meta) = fs::symlink_metadata(path) else {
        return false;
    };
    // Somebody else's: theirs to sweep, and in a shared folder not to be trusted.
    if !meta.is_dir() || meta.uid() != geteuid().as_raw() {
        return false;
    }
    let old = meta.modified().is_ok_and(|time| {
        SystemTime::now()
            .duration_since(time)
            .is_ok_and(|age| age > STALE)
    });
    if new && !old {
        return false;
    }
    let lock = match File::open(path.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) => return old && error.kind() == std::io::ErrorKind::NotFound,
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return false,
    }
    let server = fs::read_to_string(path.join(SERVER))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|pid| process::mentions(*pid, path));
    if let Some(pid) = server {
        if path.join(KEPT).exists() {
            return false;
        }
        process::stop(pid, path, Duration::from_secs(6));
    }
    true
}
