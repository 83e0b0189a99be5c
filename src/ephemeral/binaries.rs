//! PostgreSQL's programs on this machine: which folders have them, of which version.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::user::RunAs;
use crate::error::{Error, ErrorKind, Result};

/// Names folders with PostgreSQL's programs (as PATH does: several are separated by `:`).
pub(super) const VARIABLE: &str = "RLS_TOOL_PG_BIN";

/// A folder with `initdb` and `postgres`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) version: u32,
}

impl Binaries {
    /// The programs in `folder`, asked for their version as the user that will run them.
    pub(super) fn in_folder(folder: &Path, user: &RunAs) -> Result<Self> {
        let mut version = 0;
        // initdb last: both must run, and they come from the same build.
        for program in ["postgres", "initdb"] {
            let path = folder.join(program);
            let output = user
                .command(&path)
                .arg("--version")
                .output()
                .map_err(|cause| Error::io(&path, &format!("run as {}", user.name()), cause))?;
            let text = String::from_utf8_lossy(&output.stdout);
            version = major_version(&text).ok_or_else(|| {
                Error::new(
                    ErrorKind::Server,
                    format!(
                        "{} --version printed {:?} {:?}",
                        path.display(),
                        text.trim(),
                        String::from_utf8_lossy(&output.stderr).trim()
                    ),
                )
            })?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            version,
        })
    }

    /// For messages.
    pub(super) fn describe(&self) -> String {
        format!("{} is version {}", self.folder.display(), self.version)
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// `17` of `postgres (PostgreSQL) 17.10 (Debian …)`, also of `18beta1`.
fn major_version(text: &str) -> Option<u32> {
    let digits = text.split(") ").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// The folders that the variable names.
pub(super) fn named_folders() -> Vec<PathBuf> {
    split(env::var_os(VARIABLE).as_deref())
}

/// Folders on PATH and in the usual places that have `initdb` and `postgres`, the preferred one first.
pub(super) fn usual_folders() -> Vec<PathBuf> {
    let mut folders = split(env::var_os("PATH").as_deref());
    folders.extend(newest_first("/usr/lib/postgresql", "", "bin")); // Debian, Ubuntu
    folders.extend(newest_first("/usr", "pgsql-", "bin")); // PGDG's RPMs
    folders.extend(newest_first("/opt/homebrew/opt", "postgresql", "bin"));
    folders.extend(newest_first("/usr/local/opt", "postgresql", "bin"));
    folders.extend(newest_first(
        "/Applications/Postgres.app/Contents/Versions",
        "",
        "bin",
    ));
    folders.push("/usr/local/pgsql/bin".into());
    folders.extend(pg_config());
    let mut known = Vec::new();
    folders.retain(|folder| {
        let programs = ["postgres", "initdb"];
        // PATH often names a folder twice, once through a link.
        programs.iter().all(|program| folder.join(program).is_file())
            && folder.canonicalize().is_ok_and(|real| {
                !known.contains(&real) && {
                    known.push(real);
                    true
                }
            })
    });
    folders
}

fn split(list: Option<&OsStr>) -> Vec<PathBuf> {
    list.map(|list| env::split_paths(list).filter(|path| path.is_absolute()).collect())
        .unwrap_or_default()
}

/// `<parent>/<prefix>*/<leaf>`, the highest version number first.
fn newest_first(parent: &str, prefix: &str, leaf: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            (digits.parse().unwrap_or(0), entry.path().join(leaf))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

fn pg_config() -> Option<PathBuf> {
    let output = std::process::Command::new("pg_config")
        .arg("--bindir")
        .output()
        .ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.is_absolute().then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form() {
        for (text, version) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(15)),
            ("initdb (PostgreSQL) 17.10\n", Some(17)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres: command not found", None),
            ("", None),
        ] {
            assert_eq!(major_version(text), version, "{text:?}");
        }
    }
}
