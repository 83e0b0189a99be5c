//! `pg_dump --schema-only`: finding one of a version that fits, and running it so that it can only read.

use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio_postgres::config::Host;

use crate::connect::{ConnectOptions, TlsMode};
use crate::error::{Error, ErrorKind, Result};

/// Folders with PostgreSQL's programs, as for throwaway servers.
const VARIABLE: &str = "RLS_TOOL_PG_BIN";

/// How long to wait for a lock that somebody holds on a table.
const LOCK_WAIT: &str = "--lock-wait-timeout=10000";

/// The schema as SQL that a server of the major version runs.
pub(super) async fn schema(
    options: &ConnectOptions,
    database: &str,
    major: u32,
    beside: &str,
) -> Result<String> {
    let program = find(major, beside).await?;
    let mut command = Command::new(&program);
    command
        .args([
            "--schema-only",
            "--no-subscriptions",
            "--no-publications",
            "--no-tablespaces",
            LOCK_WAIT,
        ])
        .arg("--no-password")
        // It reads in a transaction that is READ ONLY anyway; nothing else it sends may write either.
        .env("PGOPTIONS", "-c default_transaction_read_only=on")
        .env("PGAPPNAME", "rls-tool")
        .env("PGCLIENTENCODING", "UTF8")
        .env("PGDATABASE", database)
        .env_remove("PGSERVICE")
        .kill_on_drop(true);
    // Not as arguments: other users of the machine see those.
    for (name, value) in environment(options) {
        command.env(name, value);
    }
    let output = command
        .output()
        .await
        .map_err(|cause| Error::io(&program, "run", cause))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(
            ErrorKind::Server,
            format!("{} failed: {}", program.display(), said.trim()),
        )
        .with_help("the role needs to read the schema: a superuser, the tables' owner, or a member of pg_read_all_data"));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|cause| Error::new(ErrorKind::Server, "pg_dump's output is no UTF-8").caused_by(cause))?;
    Ok(runnable(&text, major))
}

fn environment(options: &ConnectOptions) -> Vec<(&'static str, String)> {
    let config = options.config();
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    });
    let ports = config.get_ports().iter().map(ToString::to_string);
    let mut list = vec![
        ("PGHOST", hosts.collect::<Vec<_>>().join(",")),
        ("PGPORT", ports.collect::<Vec<_>>().join(",")),
    ];
    list.extend(config.get_user().map(|user| ("PGUSER", user.to_owned())));
    if let Some(password) = config.get_password() {
        list.push(("PGPASSWORD", String::from_utf8_lossy(password).into_owned()));
    }
    let mode = match options.tls_mode() {
        TlsMode::Disable => "disable",
        TlsMode::Allow => "allow",
        TlsMode::Prefer => "prefer",
        TlsMode::Require => "require",
        TlsMode::VerifyCa => "verify-ca",
        TlsMode::VerifyFull => "verify-full",
    };
    list.push(("PGSSLMODE", mode.to_owned()));
    list.retain(|(_, value)| !value.is_empty());
    list
}

/// What psql alone understands is left out, and what servers before the dump's own version do not know.
fn runnable(text: &str, major: u32) -> String {
    let is_for_psql = |line: &&str| line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
    let is_too_new = |line: &&str| major < 17 && *line == "SET transaction_timeout = 0;";
    let lines = text
        .lines()
        .filter(|line| !is_for_psql(line) && !is_too_new(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The pg_dump whose version comes closest; an older one than the server refuses it.
async fn find(major: u32, beside: &str) -> Result<PathBuf> {
    let mut best: Option<(u32, PathBuf)> = None;
    for folder in folders(major, beside) {
        let program = folder.join("pg_dump");
        if !program.is_file() {
            continue;
        }
        let Some(version) = version(&program).await else {
            continue;
        };
        if version >= major && best.as_ref().is_none_or(|(known, _)| version < *known) {
            best = Some((version, program));
        }
    }
    best.map(|(_, program)| program).ok_or_else(|| {
        Error::new(
            ErrorKind::Server,
            format!("no pg_dump of PostgreSQL {major} or newer was found, which copies the schema to the twin"),
        )
        .with_help(format!(
            "install postgresql-client-{major} (or newer), or name the folder that holds pg_dump in {VARIABLE}; \
             --attack in-place needs none: run it on a copy of the database"
        ))
    })
}

async fn version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let digits = text.split(") ").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

fn folders(major: u32, beside: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(beside)];
    for variable in [VARIABLE, "PATH"] {
        if let Some(list) = std::env::var_os(variable) {
            folders.extend(std::env::split_paths(&list).filter(|path| path.is_absolute()));
        }
    }
    // A few years ahead: newer programs dump older servers.
    for version in major..major + 10 {
        folders.push(format!("/usr/lib/postgresql/{version}/bin").into());
        folders.push(format!("/usr/pgsql-{version}/bin").into());
        folders.push(format!("/opt/homebrew/opt/postgresql@{version}/bin").into());
        folders.push(format!("/usr/local/opt/postgresql@{version}/bin").into());
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_psql_or_a_newer_server_knows_is_left_out() {
        let text = "\\restrict abc\nSET transaction_timeout = 0;\nCREATE TABLE t ();\n\\unrestrict abc\n";
        assert_eq!(runnable(text, 15), "CREATE TABLE t ();\n");
        assert_eq!(
            runnable(text, 17),
            "SET transaction_timeout = 0;\nCREATE TABLE t ();\n"
        );
    }

    #[tokio::test]
    async fn a_missing_pg_dump_says_how_to_get_one() {
        let error = find(900, "/nowhere").await.unwrap_err();
        assert!(
            error.help().unwrap().contains("postgresql-client-900"),
            "{error:?}"
        );
    }
}
