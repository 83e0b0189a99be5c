//! Every probe's bad SQL is broken into, its good SQL holds, and nothing else is found in either.
//!
//! The SQL runs in a transaction that is rolled back, roles included. Its first lines say `-- role:`, the audited role,
//! and `-- expect:` for each finding.

use rls_tool::attack;
use rls_tool::audit::DoorVerdict;

use crate::common::{assert_reproduced, attack_within, doors, found};
use crate::support::{Database, run};

fn marked<'a>(sql: &'a str, mark: &'a str) -> impl Iterator<Item = String> + 'a {
    sql.lines()
        .filter_map(move |line| line.strip_prefix(mark))
        .map(|text| text.trim().to_owned())
}

async fn check(name: &str, file: &str, sql: &str) {
    let database = Database::create("fixture").await;
    let mut client = database.admin().await;
    let mut transaction = client.transaction().await.unwrap();
    run(transaction.client(), sql).await;
    let role = marked(sql, "-- role:")
        .next()
        .unwrap_or_else(|| panic!("{name}/{file} names no role"));
    let outcome = attack_within(&mut transaction, &role).await;
    let mut wanted: Vec<_> = marked(sql, "-- expect:").collect();
    wanted.sort();
    assert_eq!(found(&outcome), wanted, "{name}/{file}: {:#?}", outcome.doors);
    assert_reproduced(&outcome);
    let undecided = doors(&outcome, DoorVerdict::Undecided);
    assert!(undecided.is_empty(), "{name}/{file}: {undecided:#?}");
}

#[tokio::test]
async fn bad_schemas_are_broken_into() {
    for probe in attack::probes() {
        for (file, sql) in probe.bad {
            assert!(
                marked(sql, "-- expect:").any(|line| line.starts_with(&format!("{} ", probe.name))),
                "{}/{file} expects no finding of its own probe",
                probe.name
            );
            check(probe.name, file, sql).await;
        }
    }
}

#[tokio::test]
async fn good_schemas_hold() {
    for probe in attack::probes() {
        for (file, sql) in probe.good {
            assert_eq!(
                marked(sql, "-- expect:").count(),
                0,
                "{}/{file} expects a finding",
                probe.name
            );
            check(probe.name, file, sql).await;
        }
    }
}

#[test]
fn pages_have_their_headings() {
    for probe in attack::probes() {
        let headings: Vec<_> = probe.page.lines().filter(|line| line.starts_with('#')).collect();
        let wanted = [
            "## What it does",
            "## Why it matters",
            "## How to fix",
            "## Known problems",
        ];
        assert_eq!(headings, wanted, "{}", probe.name);
        assert!(!probe.summary().ends_with('.'), "{}", probe.name);
    }
}
