//! Plain SQL files of any tool: a file, or a folder of them in the order in which people number them.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use tokio_postgres::Client;

use super::names;
use crate::error::{Error, ErrorKind, Result};
use crate::migrate::SqlFile;

/// Files, in order.
#[derive(Debug)]
pub(super) struct SqlFiles(Vec<SqlFile>);

impl SqlFiles {
    /// The file, or every `.sql` file of the folder and its sub-folders. What undoes a migration (`….down.sql`,
    /// `down.sql`, `U1__….sql`) is left out.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        if path.is_dir() {
            list(path, &mut paths)?;
            paths.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
            if paths.is_empty() {
                return Err(Error::input(format!(
                    "{}: the folder holds no .sql file",
                    path.display()
                )));
            }
        } else {
            paths.push(path.to_owned());
        }
        paths
            .iter()
            .map(|path| {
                SqlFile::read(path).map_err(|error| {
                    let help = error
                        .help()
                        .map_or("paths are relative to the package's folder", |_| "");
                    if help.is_empty() {
                        error
                    } else {
                        error.with_help(help)
                    }
                })
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    /// A hash of what they say.
    pub(super) fn digest(&self) -> String {
        let pieces: Vec<&str> = self.0.iter().map(|file| file.sql.as_str()).collect();
        names::digest(&pieces)
    }

    /// Runs them, each as one message: a transaction unless the file has its own.
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        for file in &self.0 {
            client.batch_execute(&file.sql).await.map_err(|cause| {
                let line = line_of(&cause, &file.sql).map(|line| format!(", line {line}"));
                let place = format!("{}{}", file.label, line.unwrap_or_default());
                Error::postgres(format!("apply {place}"), cause).or_kind(ErrorKind::Migration)
            })?;
        }
        Ok(())
    }
}

/// The line at which PostgreSQL stopped, if it says.
fn line_of(cause: &tokio_postgres::Error, sql: &str) -> Option<usize> {
    let tokio_postgres::error::ErrorPosition::Original(position) = cause.as_db_error()?.position()? else {
        return None;
    };
    let before = usize::try_from(*position).ok()?.checked_sub(1)?;
    Some(1 + sql.chars().take(before).filter(|c| *c == '\n').count())
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |cause| Error::io(folder, "read the folder", cause);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            list(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
            && !undoes(&name)
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn undoes(name: &str) -> bool {
    let flyway = name.strip_prefix('u').is_some_and(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
            .len()
            + 1
            < name.len()
            && rest.contains("__")
            && rest.starts_with(|c: char| c.is_ascii_digit())
    });
    name == "down.sql" || name.ends_with(".down.sql") || flyway
}

/// Numbers within the names count as numbers: `V2` comes before `V10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number_a, rest_a) = number(a);
            let (number_b, rest_b) = number(b);
            let order = number_a
                .len()
                .cmp(&number_b.len())
                .then_with(|| number_a.cmp(number_b));
            if order.is_ne() {
                return order;
            }
            (a, b) = (rest_a, rest_b);
        } else if x == y {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
        } else {
            return x.cmp(&y);
        }
    }
}

/// The digits at the start, without leading zeros, and the rest.
fn number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = vec![
            "V10__c.sql",
            "V2__b.sql",
            "V1__a.sql",
            "0003_x/up.sql",
            "20_y/up.sql",
        ];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            [
                "0003_x/up.sql",
                "20_y/up.sql",
                "V1__a.sql",
                "V2__b.sql",
                "V10__c.sql"
            ]
        );
    }

    #[test]
    fn what_undoes_is_left_out() {
        for name in ["down.sql", "1_x.down.sql", "u1__x.sql"] {
            assert!(undoes(name), "{name}");
        }
        for name in ["up.sql", "1_x.up.sql", "users.sql", "v1__x.sql", "u_x.sql"] {
            assert!(!undoes(name), "{name}");
        }
    }
}
