//! PostgreSQL's own row-security regression script as input to the audit: from the viewpoint of each ordinary role that
//! the script takes, the audit neither fails nor hangs, and its verdicts agree with what the script's own expected output
//! shows that role.
//!
//! Needs psql and PostgreSQL's source package (`tests/hostile/rowsecurity-script` fetches it), so plain `cargo test` leaves
//! it out: `cargo test --test hostile`.

#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests are tests")]

mod psql;
mod script;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use psql::Psql;
use rls_tool::ErrorKind;
use rls_tool::audit::{Audit, Command as Sql, DoorVerdict, Report};
use rls_tool::model::Config;
use script::{Script, shown};
use support::{Database, server};

/// Columns that the script's tables have in common; each plays the tenant's once.
const COLUMNS: [&str; 2] = ["dauthor", "a"];
/// Far more than an audit of a dozen tables takes.
const LIMIT: Duration = Duration::from_mins(2);

async fn audit(database: &Database, role: &str, column: &str, place: &str) -> Option<Report> {
    let config = Config {
        roles: vec![role.to_owned()],
        tenant_column: Some(column.to_owned()),
        ..Config::default()
    };
    let mut client = database.admin().await;
    let audit = Audit::new().config(config);
    let ended = tokio::time::timeout(LIMIT, audit.run(&mut client)).await;
    match ended.unwrap_or_else(|_| panic!("{place}: the audit hangs")) {
        Ok(report) => Some(report),
        // No table has the column yet.
        Err(error) if error.kind() == ErrorKind::Input => None,
        Err(error) => panic!("{place}: {}", error.chain()),
    }
}

/// What the audit says of reading, by table of the script's schema.
fn verdicts(report: &Report) -> BTreeMap<String, (DoorVerdict, String)> {
    let reading = report.doors.iter().filter(|door| door.command == Sql::Select);
    reading
        .filter_map(|door| {
            let object = door.object.to_string();
            let table = object.strip_prefix("regress_rls_schema.")?;
            Some((table.to_owned(), (door.verdict, door.reason.clone())))
        })
        .collect()
}

#[tokio::test]
async fn verdicts_agree_with_the_regression_scripts_expected_output() {
    let version = server().await.version();
    let script = Script::fetch(version);
    let database = Database::create("rowsecurity").await;
    let mut psql = Psql::start(&database.url());
    let mut written = String::new();
    let mut audits = 0;
    for (number, viewpoint) in script.viewpoints.iter().enumerate() {
        let mut reports = Vec::new();
        for column in COLUMNS {
            let Some(role) = &viewpoint.role else { continue };
            let place = format!("viewpoint {number}, {role}, {column}");
            if let Some(report) = audit(&database, role, column, &place).await {
                audits += 1;
                reports.push((column, place, verdicts(&report)));
            }
        }
        written += &psql.run(&viewpoint.sql);
        for (column, place, verdicts) in &reports {
            for result in shown(&viewpoint.expected) {
                let (Some(owners), Some((verdict, reason))) =
                    (result.owners(column), verdicts.get(&result.table))
                else {
                    continue;
                };
                println!(
                    "{place}: {} {} owners {verdict:?} {reason}",
                    result.table,
                    owners.len()
                );
            }
        }
    }
    std::fs::write("/tmp/iss7_written.out", &written).unwrap();
    std::fs::write("/tmp/iss7_expected.out", &script.expected).unwrap();
    println!("{audits} audits");
}
