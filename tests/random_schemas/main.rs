//! Random schemas: what the audit says of each door against what brute force finds, row by row, as the role.
//!
//! No leak may be missed, and no error may stand where brute force finds nothing. The seeds are fixed, so that a failure
//! can be repeated; `RLS_TEST_SCHEMAS` sets how many (2000 in a nightly run), `RLS_TEST_SEED` the first one.

#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests are tests")]

mod grammar;
#[path = "../support/mod.rs"]
mod support;
mod truth;

use std::collections::BTreeSet;

use grammar::Schema;
use rls_tool::audit::{Audit, Door, DoorKind, DoorVerdict, Severity};
use support::{Database, run};

/// Enough for every rule of the grammar to be used several times.
const SCHEMAS: u64 = 25;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// The doors that the truth can be told about.
fn is_judged(door: &Door) -> bool {
    matches!(door.kind, DoorKind::Table | DoorKind::View | DoorKind::Function)
}

#[tokio::test]
async fn verdicts_agree_with_brute_force() {
    let first = number("RLS_TEST_SEED", 1);
    let (mut leaks, mut held, mut undecided) = (0, 0, 0);
    for seed in first..first + number("RLS_TEST_SCHEMAS", SCHEMAS) {
        let schema = Schema::random(seed);
        let database = Database::create("random").await;
        let mut admin = database.admin().await;
        run(&admin, &schema.sql).await;
        let report = Audit::new()
            .role(grammar::ROLE)
            .run(&mut database.admin().await)
            .await
            .unwrap_or_else(|error| panic!("seed {seed}: {}\n{}", error.chain(), schema.sql));
        run(&admin, &schema.rows).await;
        let mut open = BTreeSet::new();
        for door in report.doors.iter().filter(|door| is_judged(door)) {
            let leak = truth::leaks(&mut admin, &schema, door).await;
            if leak {
                open.insert(door.object.to_string());
            }
            match door.verdict {
                DoorVerdict::Leak => leaks += 1,
                DoorVerdict::Undecided => undecided += 1,
                DoorVerdict::Held | DoorVerdict::Proven => {
                    held += 1;
                    assert!(
                        !leak,
                        "seed {seed}: {} {} leaks and was called {:?}: {}\n{}",
                        door.command.as_sql(),
                        door.object,
                        door.verdict,
                        door.reason,
                        schema.sql
                    );
                }
            }
        }
        for finding in report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
        {
            let objects = [
                Some(finding.object.to_string()),
                finding.door.as_ref().map(ToString::to_string),
            ];
            assert!(
                objects.iter().flatten().any(|object| open.contains(object)),
                "seed {seed}: {} on {} is an error and brute force finds nothing: {}\n{}",
                finding.check,
                finding.object,
                finding.message,
                schema.sql
            );
        }
    }
    println!("{leaks} leaking, {held} held, {undecided} undecided doors");
    assert!(leaks > 10 && held > 10, "{leaks} {held}");
    // Else agreement would be cheap.
    assert!(undecided * 2 < leaks + held, "{undecided} of {}", leaks + held);
}
