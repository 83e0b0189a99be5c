//! Connection service files: `[name]` sections of `key=value` lines, libpq's `pg_service.conf`.
//!
//! Looked for in `PGSERVICEFILE`, else `~/.pg_service.conf`, then in `PGSYSCONFDIR/pg_service.conf`. LDAP lookups, which
//! libpq can be built with, are not done.

use std::fs;
use std::path::{Path, PathBuf};

use super::parameters::Environment;
use super::text::Keywords;
use crate::error::{Error, Result};

/// The parameters of service `name`.
///
/// # Errors
///
/// Where no file defines the service, or the file cannot be read: a connection elsewhere would be a surprise.
pub(super) fn load(name: &str, environment: &Environment<'_>) -> Result<Keywords> {
    let own = environment
        .get("PGSERVICEFILE")
        .map(PathBuf::from)
        .or_else(|| environment.home().map(|home| home.join(".pg_service.conf")));
    let system = environment
        .get("PGSYSCONFDIR")
        .map(|folder| Path::new(&folder).join("pg_service.conf"));
    let mut searched = Vec::new();
    for path in [own, system].into_iter().flatten() {
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(|cause| Error::io(&path, "read", cause))?;
            if let Some(found) = section(&text, name) {
                return found.map_err(|line| {
                    Error::input(format!("{} is malformed at line {line}", path.display()))
                        .with_help("each line is [service], key=value, or a comment that starts with #")
                });
            }
        }
        searched.push(path.display().to_string());
    }
    Err(Error::input(format!("the service {name:?} is not defined"))
        .with_help(format!("define it in {}", searched.join(" or "))))
}

/// The section `name`, or `None`; a malformed line within it gives its number.
fn section(text: &str, name: &str) -> Option<Result<Keywords, usize>> {
    let mut found = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            if found.is_some() {
                break;
            }
            if line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(name) {
                found = Some(Keywords::new());
            }
        } else if let Some(keywords) = &mut found {
            // A service that names a service could go round in circles; libpq refuses it as well.
            match line.split_once('=') {
                Some((key, value)) if key.trim() != "service" => {
                    keywords.insert(key.trim().to_owned(), value.trim().to_owned());
                }
                _ => return Some(Err(index + 1)),
            }
        }
    }
    found.map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# ours\n[other]\nhost=o\n\n[shop]\nhost=db.example\nport = 6432\n# note\nuser=app\n[last]\nbroken\n";

    #[test]
    fn only_the_named_section_is_read() {
        let shop = section(FILE, "shop").unwrap().unwrap();
        assert_eq!(shop.len(), 3);
        assert_eq!(shop["port"], "6432");
        assert_eq!(section(FILE, "last"), Some(Err(11)));
        assert_eq!(section(FILE, "none"), None);
    }

    #[test]
    fn a_missing_service_is_an_error_with_the_places_searched() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let get = move |name: &str| (name == "HOME").then(|| home.clone());
        let error = load("shop", &Environment::new(&get)).unwrap_err();
        assert!(error.help().unwrap().contains(".pg_service.conf"), "{error:?}");
        fs::write(folder.path().join(".pg_service.conf"), FILE).unwrap();
        assert_eq!(
            load("shop", &Environment::new(&get)).unwrap()["host"],
            "db.example"
        );
    }
}
