//! Random schemas: what the audit says of each door against what brute force finds, row by row, as the role.
//!
//! No leak may be missed, and no error may stand where brute force finds nothing. The seeds are fixed, so that a failure
//! can be repeated: `RLS_TEST_SCHEMAS` says how many (2000 in a nightly run), `RLS_TEST_SEED` the first one. Every seed
//! is judged, also after one failed; each failure shows its seed and its schema.

#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests are tests")]

mod grammar;
#[path = "../support/mod.rs"]
mod support;
mod truth;

use std::collections::BTreeSet;
use std::ops::AddAssign;

use futures_util::StreamExt as _;
use grammar::Schema;
use rls_tool::audit::{Audit, Door, DoorKind, DoorVerdict, Finding, Report, Severity};
use support::{Database, connect, run, server};
use truth::Truth;

/// Enough for every rule of the grammar to be used several times.
const SCHEMAS: u64 = 40;
/// At a time; the server has other processors to use than we.
const PARALLEL: usize = 3;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}"))
    })
}

/// The doors that the truth can be told about.
fn is_judged(door: &Door) -> bool {
    matches!(door.kind, DoorKind::Table | DoorKind::View | DoorKind::Function)
}

/// What was said of the doors, and in how many schemas it was not so.
#[derive(Debug, Default)]
struct Tally {
    leaking: u64,
    held: u64,
    undecided: u64,
    wrong: Vec<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.leaking += other.leaking;
        self.held += other.held;
        self.undecided += other.undecided;
        self.wrong.extend(other.wrong);
    }
}

async fn judge(seed: u64) -> Tally {
    let schema = Schema::random(seed);
    let database = Database::create("random").await;
    let mut truth = Truth {
        admin: database.admin().await,
        unbound: database.admin().await,
    };
    run(&truth.admin, &schema.sql).await;
    let mut tally = Tally::default();
    let audited = Audit::new()
        .role(grammar::ROLE)
        .run(&mut database.admin().await)
        .await;
    let report = match audited {
        Ok(report) => report,
        Err(error) => {
            tally.wrong.push(format!("the audit fails: {}", error.chain()));
            return explained(tally, seed, &schema);
        }
    };
    run(&truth.admin, &schema.rows).await;
    let mut open = BTreeSet::new();
    for door in report.doors.iter().filter(|door| is_judged(door)) {
        let leak = truth.leaks(door).await;
        if leak {
            open.insert(door.object.to_string());
        }
        match door.verdict {
            DoorVerdict::Leak => tally.leaking += 1,
            DoorVerdict::Undecided => tally.undecided += 1,
            DoorVerdict::Held | DoorVerdict::Proven => {
                tally.held += 1;
                if leak {
                    tally.wrong.push(format!(
                        "missed: {} {} leaks and is called {:?}: {}",
                        door.command.as_sql(),
                        door.object,
                        door.verdict,
                        door.reason
                    ));
                }
            }
        }
    }
    // In two steps: a policy that believes a table in which the session writes.
    let child = "r.c0".to_owned();
    let believes =
        |finding: &&Finding| finding.check == "policy-table-writable" && finding.object.to_string() == child;
    if report.findings.iter().any(|finding| believes(&finding))
        && truth.leaks_through_the_parent(&database.options()).await
    {
        open.insert(child);
    }
    tally.wrong.extend(false_errors(&report, &open));
    explained(tally, seed, &schema)
}

/// Errors about objects where brute force finds nothing.
fn false_errors(report: &Report, open: &BTreeSet<String>) -> Vec<String> {
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let mut wrong = Vec::new();
    for finding in errors {
        let objects = [
            Some(finding.object.to_string()),
            finding.door.as_ref().map(ToString::to_string),
        ];
        if !objects.iter().flatten().any(|object| open.contains(object)) {
            wrong.push(format!(
                "false: {} on {} is an error and brute force finds nothing: {}",
                finding.check, finding.object, finding.message
            ));
        }
    }
    wrong
}

/// One complaint a schema, with all that is needed to repeat it.
#[expect(clippy::print_stderr, reason = "a run of hours shows at once what it found")]
fn explained(mut tally: Tally, seed: u64, schema: &Schema) -> Tally {
    if !tally.wrong.is_empty() {
        let wrong = tally.wrong.join("\n  ");
        let complaint = format!(
            "RLS_TEST_SEED={seed} RLS_TEST_SCHEMAS=1\n  {wrong}\n{}",
            schema.sql
        );
        eprintln!("{complaint}");
        tally.wrong = vec![complaint];
    }
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_agree_with_brute_force() {
    let first = number("RLS_TEST_SEED", 1);
    let count = number("RLS_TEST_SCHEMAS", SCHEMAS);
    run(&connect(&server().await.options()).await, &grammar::roles()).await;
    let mut all = Tally::default();
    let mut judged = futures_util::stream::iter(first..first + count)
        .map(judge)
        .buffer_unordered(PARALLEL);
    while let Some(tally) = judged.next().await {
        all += tally;
    }
    let Tally {
        leaking,
        held,
        undecided,
        wrong,
    } = all;
    println!("{count} schemas: {leaking} leaking, {held} held, {undecided} undecided doors");
    assert!(
        wrong.is_empty(),
        "{} of {count} schemas are judged wrongly\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    if count >= SCHEMAS {
        assert!(leaking > 10 && held > 10, "{leaking} {held}");
        // Else agreement would be cheap.
        assert!(
            undecided * 2 < leaking + held,
            "{undecided} of {}",
            leaking + held
        );
    }
}

/// The same seed is the same schema, here and on any other machine.
#[test]
fn a_seed_is_a_schema() {
    assert_eq!(Schema::random(7).sql, Schema::random(7).sql);
    assert_ne!(Schema::random(7).sql, Schema::random(8).sql);
}
