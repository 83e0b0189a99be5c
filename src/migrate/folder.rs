//! Reads a folder of SQL files strictly: what Refinery would skip with a log line is an error here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::migrate::file::SqlFile;

/// Every `.sql` file of `folder` and, as Refinery does, of its sub-folders, by path. Hidden files and folders are none of
/// ours: editors, Git and Kubernetes (which mounts each file a second time, in a hidden folder) keep theirs there.
///
/// # Errors
///
/// A folder that is missing, unreadable, or holds no SQL file; a file that is not UTF-8; a file that looks like SQL and
/// would be passed over, such as a migration in Rust.
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
            other if looks_like_sql(path, other) => {
                return Err(
                    Error::input(format!("{}: the file name does not end in .sql", path.display()))
                        .with_help("rename it, or take it out of the folder if it is not to be applied"),
                );
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
        if name(&path).starts_with('.') {
            continue;
        }
        if !path.is_dir() {
            paths.push(path);
        } else if path.is_symlink() {
            // It may form a ring; left out without a word, its files would be missed.
            return Err(
                Error::input(format!("{}: links to folders are not followed", path.display()))
                    .with_help("put the files themselves there, or links to them"),
            );
        } else {
            list(&path, paths)?;
        }
    }
    Ok(())
}

/// A file that somebody may take for a migration or policies file. An editor's backup (`…~`) is none.
fn looks_like_sql(path: &Path, extension: &str) -> bool {
    let name = name(path);
    let numbered = name
        .strip_prefix(['V', 'U', 'v', 'u'])
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        .is_some_and(|rest| rest.starts_with("__") && !name[1..].starts_with('_'));
    !name.ends_with('~')
        && (numbered || name.to_lowercase().contains(".sql") || matches!(extension, "pgsql" | "psql"))
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn extension(path: &Path) -> String {
    path.extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}
