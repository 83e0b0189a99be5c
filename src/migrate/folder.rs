//! Reads a folder of SQL files strictly: what Refinery would skip with a log line is an error here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::migrate::file::SqlFile;

/// Every `.sql` file of `folder` and, as Refinery does, of its sub-folders, by path.
///
/// # Errors
///
/// A folder that is missing, unreadable, or holds no SQL file; a file that is not UTF-8; a migration in Rust.
pub(crate) fn read(folder: &Path) -> Result<Vec<SqlFile>> {
    let mut paths = Vec::new();
    list(folder, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in &paths {
        match extension(path).as_str() {
            "sql" => files.push(SqlFile::read(path)?),
            "rs" => {
                return Err(Error::input(format!(
                    "{}: migrations written in Rust cannot be run from a folder",
                    path.display()
                ))
                .with_help("write it as SQL, or keep Refinery's own runner for this project"));
            }
            _ => {}
        }
    }
    if files.is_empty() {
        return Err(
            Error::input(format!("{}: the folder holds no .sql file", folder.display()))
                .with_help("is it the right folder?"),
        );
    }
    Ok(files)
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |cause| {
        Error::io(folder, "read the folder", cause).with_help("--migrations and --policies name the folders")
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // Links to folders are not followed: they may form a ring.
        if path.is_dir() && !path.is_symlink() {
            list(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn extension(path: &Path) -> String {
    path.extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}
