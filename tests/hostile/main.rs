//! PostgreSQL's own row-security regression script as input to the audit: wherever the script pauses, the audit neither
//! fails nor hangs, and calls no table safe of which the role in fact sees several owners' rows.
//!
//! Needs psql and PostgreSQL's source package (`tests/hostile/rowsecurity-script` fetches it), so plain `cargo test` leaves
//! it out: `cargo test --test hostile`.

#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests are tests")]

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rls_tool::ErrorKind;
use rls_tool::audit::{Audit, Command as Sql, Door, DoorKind, DoorVerdict};
use rls_tool::model::Config;
use rls_tool::sql::Ident;
use support::Database;
use tokio_postgres::Client;

const ROLE: &str = "regress_rls_bob";
/// Columns that the script's tables have in common; each plays the tenant's once.
const COLUMNS: [&str; 2] = ["dauthor", "a"];
/// Far more than an audit of a dozen tables takes.
const LIMIT: Duration = Duration::from_mins(2);

fn script() -> String {
    let output = Command::new("tests/hostile/rowsecurity-script").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the script cannot be had: {errors}");
    let path = String::from_utf8(output.stdout).unwrap();
    std::fs::read_to_string(path.trim()).unwrap()
}

fn psql() -> PathBuf {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    folders.extend(debian.map(|entry| entry.path().join("bin")));
    let found = folders
        .iter()
        .map(|folder| folder.join("psql"))
        .find(|path| Path::is_file(path));
    found.expect("this test needs psql: install postgresql-client")
}

/// A psql that is fed the script piece by piece.
struct Psql {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Psql {
    fn start(url: &str) -> Self {
        let mut child = Command::new(psql())
            .args(["-X", "-q", "-d", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Runs a piece to its end; errors are part of the script.
    fn run(&mut self, piece: &str) {
        let mark = "the piece has been run";
        writeln!(self.input, "{piece}\n\\echo {mark}").unwrap();
        let mut line = String::new();
        while line.trim_end() != mark {
            line.clear();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "psql ended in: {piece}"
            );
        }
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The script in pieces, each of which ends with the superuser outside a transaction; without the cleaning up.
fn pieces(script: &str) -> Vec<String> {
    let body = script.split("-- Clean up objects").next().unwrap();
    let (mut pieces, mut piece, mut open) = (Vec::new(), String::new(), false);
    for line in body.lines() {
        piece.push_str(line);
        piece.push('\n');
        match line.trim_end() {
            "BEGIN;" => open = true,
            "COMMIT;" | "ROLLBACK;" => open = false,
            "RESET SESSION AUTHORIZATION;" if !open => pieces.push(std::mem::take(&mut piece)),
            _ => {}
        }
    }
    pieces.push(piece);
    pieces
}

/// How many owners' rows the role sees there; `None` where it may not read the column.
async fn owners_seen(admin: &mut Client, door: &Door, column: &str) -> Option<i64> {
    let (schema, table) = door
        .object
        .to_string()
        .split_once('.')
        .map(|(s, t)| (s.to_owned(), t.to_owned()))?;
    let transaction = admin.transaction().await.unwrap();
    transaction
        .batch_execute(&format!("set local session authorization {ROLE}"))
        .await
        .unwrap();
    let (column, schema, table) = (
        Ident::new(column).unwrap(),
        Ident::new(schema).unwrap(),
        Ident::new(table).unwrap(),
    );
    let sql = format!("select count(distinct {column}) from {schema}.{table}");
    let count = transaction.query_one(&sql, &[]).await.ok().map(|row| row.get(0));
    transaction.rollback().await.unwrap();
    count
}

#[tokio::test]
async fn postgresqls_own_regression_script_is_audited_all_along() {
    let script = script();
    let database = Database::create("rowsecurity").await;
    let mut psql = Psql::start(&database.url());
    let (mut audits, mut checked) = (0, 0);
    for (number, piece) in pieces(&script).iter().enumerate() {
        psql.run(piece);
        for column in COLUMNS {
            let config = Config {
                roles: vec![ROLE.to_owned()],
                tenant_column: Some(column.to_owned()),
                ..Config::default()
            };
            let mut client = database.admin().await;
            let audit = Audit::new().config(config);
            let ended = tokio::time::timeout(LIMIT, audit.run(&mut client)).await;
            let report = match ended.unwrap_or_else(|_| panic!("piece {number}, {column}: the audit hangs")) {
                Ok(report) => report,
                // The role is not there yet, or no table has the column.
                Err(error) if error.kind() == ErrorKind::Input => continue,
                Err(error) => panic!("piece {number}, {column}: {}", error.chain()),
            };
            audits += 1;
            let called_safe = report.doors.iter().filter(|door| {
                door.command == Sql::Select
                    && matches!(door.kind, DoorKind::Table | DoorKind::Partition)
                    && matches!(door.verdict, DoorVerdict::Held | DoorVerdict::Proven)
            });
            let mut admin = database.admin().await;
            for door in called_safe {
                checked += 1;
                let owners = owners_seen(&mut admin, door, column).await;
                assert!(
                    owners.is_none_or(|owners| owners < 2),
                    "piece {number}, {column}: {} is {:?} ({}), and {ROLE} sees rows of {owners:?} owners",
                    door.object,
                    door.verdict,
                    door.reason
                );
            }
        }
    }
    println!("{audits} audits; {checked} doors that were called safe are");
    assert!(audits > 10, "{audits}");
}
