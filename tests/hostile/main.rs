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

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use psql::Psql;
use rls_tool::ErrorKind;
use rls_tool::audit::{Audit, Command as Sql, Door, DoorKind, DoorVerdict, Report};
use rls_tool::model::Config;
use script::{Script, Shown, Viewpoint, shown};
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

/// What the audit says of reading, by table or view of the script's schema.
fn verdicts(report: &Report) -> BTreeMap<String, &Door> {
    let reading = report.doors.iter().filter(|door| door.command == Sql::Select);
    reading
        .filter_map(|door| {
            let object = door.object.to_string();
            let table = object.strip_prefix("regress_rls_schema.")?;
            Some((table.to_owned(), door))
        })
        .collect()
}

/// The columns that play the tenant's at a viewpoint: those of the tables that are shown there, and one in any case.
fn columns(number: usize, results: &[Shown]) -> Vec<&'static str> {
    let asked = |column: &&str| results.iter().any(|result| result.owners(column).is_some());
    let shown: Vec<_> = COLUMNS.into_iter().filter(asked).collect();
    if shown.is_empty() {
        vec![COLUMNS[number % COLUMNS.len()]]
    } else {
        shown
    }
}

/// How the verdict goes with the owners whose rows are shown.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    Agrees,
    Undecided,
    /// The verdict is about another way than reading.
    AnotherWay,
    /// A view over a table that leaks, which is found there: of the view itself nothing is claimed.
    LeaksByItsTable,
    /// The only owner shown is the role itself, which is a tenant by its name. Attacks bind a setting, and take the rows
    /// of such a role that were there for another tenant's.
    RoleIsTheTenant,
    Wrong,
}

fn agreement(door: &Door, owners: &BTreeSet<&str>, role: &str) -> Agreement {
    match door.verdict {
        DoorVerdict::Undecided
            if door.kind == DoorKind::View && door.reason.ends_with("behind it, leaks") =>
        {
            Agreement::LeaksByItsTable
        }
        DoorVerdict::Undecided => Agreement::Undecided,
        DoorVerdict::Held | DoorVerdict::Proven if owners.len() > 1 => Agreement::Wrong,
        DoorVerdict::Leak if owners.len() < 2 && door.reason.starts_with("trigger-granted") => {
            Agreement::AnotherWay
        }
        DoorVerdict::Leak if owners.len() == 1 && owners.contains(role) => Agreement::RoleIsTheTenant,
        DoorVerdict::Leak if owners.len() == 1 => Agreement::Wrong,
        _ => Agreement::Agrees,
    }
}

/// The audit's doings leave no trace: what is shown, in whatever order, and what is refused is as expected.
fn same(viewpoint: &Viewpoint, written: &str) {
    let (expected, written) = (evidence(&viewpoint.expected), evidence(written));
    assert_eq!(expected, written, "in: {}", viewpoint.sql);
}

fn evidence(output: &str) -> Vec<String> {
    let mut rows: Vec<_> = shown(output)
        .into_iter()
        .flat_map(|result| result.rows)
        .map(|row| row.join("|"))
        .collect();
    rows.sort();
    let errors = output.lines().filter(|line| line.starts_with("ERROR:"));
    rows.extend(errors.map(str::to_owned));
    rows
}

#[tokio::test]
async fn verdicts_agree_with_the_regression_scripts_expected_output() {
    let script = Script::fetch(server().await.version());
    let database = Database::create("rowsecurity").await;
    let mut psql = Psql::start(&database.url());
    let mut audits = 0;
    let (mut compared, mut wrong) = (BTreeMap::<_, usize>::new(), Vec::new());
    for (number, viewpoint) in script.viewpoints.iter().enumerate() {
        let results = shown(&viewpoint.expected);
        if let Some(role) = &viewpoint.role {
            for column in columns(number, &results) {
                let place = format!("viewpoint {number}, {role}, {column}");
                let Some(report) = audit(&database, role, column, &place).await else {
                    continue;
                };
                audits += 1;
                let verdicts = verdicts(&report);
                for result in &results {
                    let (Some(owners), Some(door)) = (result.owners(column), verdicts.get(&result.table))
                    else {
                        continue;
                    };
                    let agreement = agreement(door, &owners, role);
                    if agreement == Agreement::Wrong {
                        wrong.push(format!(
                            "{place}: {} is {:?} ({}) and rows of {owners:?} are shown",
                            result.table, door.verdict, door.reason
                        ));
                    }
                    *compared.entry(agreement).or_default() += 1;
                }
            }
        }
        let written = psql.run(&viewpoint.sql);
        same(viewpoint, &written);
    }
    println!(
        "{} viewpoints, {audits} audits; {compared:?}",
        script.viewpoints.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    let count = |agreement| compared.get(&agreement).copied().unwrap_or_default();
    // What is not plain agreement is known by number: less is welcome, more is not.
    assert!(count(Agreement::Agrees) >= 20, "{compared:?}");
    assert!(count(Agreement::RoleIsTheTenant) <= 4, "{compared:?}");
    assert!(count(Agreement::Undecided) == 0, "{compared:?}");
    assert!(audits > 30, "{audits}");
}
