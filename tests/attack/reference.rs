//! The reference schema: every table's door is held, and every protection that is taken away is noticed.

use rls_tool::audit::{AttackMode, Audit, DoorKind, DoorVerdict, Verdict};

use crate::common::{assert_reproduced, attack, attack_within, doors, found};
use crate::support::{Database, run};

#[tokio::test]
async fn every_table_is_held() {
    let database = Database::migrated("held").await;
    let mut client = database.admin().await;
    let outcome = attack(&mut client, "app_user").await;
    assert!(outcome.findings.is_empty(), "{:#?}", found(&outcome));
    let tables: Vec<_> = outcome
        .doors
        .iter()
        .filter(|door| door.kind == DoorKind::Table)
        .collect();
    assert!(tables.len() > 30, "{}", tables.len());
    for door in tables {
        assert_eq!(door.verdict, DoorVerdict::Held, "{door:?}");
    }
}

/// The tables of the application, with what it may do there.
const TABLES: &[(&str, &str)] = &[
    ("tenants", "SIU"),
    ("users", "SIUD"),
    ("accounts", "SIUD"),
    ("sessions", "SIUD"),
    ("verification_tokens", "SIUD"),
    ("processes", "SIUD"),
    ("process_versions", "SIUD"),
    ("api_keys", "SIUD"),
    ("call_logs", "SI"),
    ("response_caches", "SIUD"),
    ("rate_limits", "SIUD"),
];

/// Sabotage: what it is called, its SQL for a table, and the commands that leak then.
const SABOTAGE: &[(&str, &str, &str)] = &[
    (
        "row security off",
        "alter table app.{t} disable row level security",
        "SIUD",
    ),
    (
        "a permissive policy that is true",
        "create policy open on app.{t} using (true)",
        "SIUD",
    ),
    (
        "the same for reading",
        "create policy open on app.{t} for select using (true)",
        "S",
    ),
    (
        "the same for removing",
        "create policy open on app.{t} for delete using (true)",
        "D",
    ),
    (
        "the same for changing",
        "create policy open on app.{t} for update using (true)",
        "U",
    ),
    (
        "WITH CHECK that is true",
        "alter policy tenant_isolation on app.{t} with check (true)",
        "I",
    ),
    (
        "open while unbound",
        "create policy open on app.{t} using (nullif(current_setting('app.current_tenant', true), '') is null)",
        "SIUD",
    ),
];

#[tokio::test]
async fn every_protection_that_is_taken_away_is_noticed() {
    let database = Database::migrated("sabotage").await;
    let mut client = database.admin().await;
    let mut mutants = 0;
    // On all tables at once: doors are judged one by one.
    for (what, sql, leaks) in SABOTAGE {
        let mut transaction = client.transaction().await.unwrap();
        for (table, _) in TABLES {
            run(transaction.client(), &sql.replace("{t}", table)).await;
        }
        let outcome = attack_within(&mut transaction, "app_user").await;
        transaction.rollback().await.unwrap();
        assert_reproduced(&outcome);
        let leaking = doors(&outcome, DoorVerdict::Leak);
        for (table, may) in TABLES {
            for (letter, command) in [('S', "SELECT"), ('I', "INSERT"), ('U', "UPDATE"), ('D', "DELETE")] {
                let expected = may.contains(letter) && leaks.contains(letter);
                let door = format!("{command} app.{table}: ");
                let leaks = leaking.iter().any(|leak| leak.starts_with(&door));
                assert_eq!(leaks, expected, "{what} on {table}: {command}; {leaking:#?}");
                mutants += usize::from(expected);
            }
        }
    }
    // So that an empty table of expectations does not pass.
    assert!(mutants > 150, "{mutants}");
}

#[tokio::test]
async fn the_audit_takes_the_attacks_verdicts() {
    let database = Database::migrated("audit").await;
    let mut client = database.admin().await;
    let report = Audit::new().role("app_user").run(&mut client).await.unwrap();
    assert_eq!(report.verdict, Verdict::Isolated);
    assert!(report.summary.attacks_run > 400, "{:?}", report.summary);
    assert!(
        report.summary.held + report.summary.proven > 30,
        "{:?}",
        report.summary
    );
    // The same without attacks knows less.
    let report = Audit::new()
        .role("app_user")
        .attack(AttackMode::Off)
        .run(&mut client)
        .await
        .unwrap();
    assert_eq!(report.summary.attacks_run, 0);
    assert_eq!(report.summary.held, 0);
}
