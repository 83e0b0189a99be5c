//! The reference schema: every table's door is held, and every protection that is taken away is noticed.

use rls_tool::audit::{AttackMode, Audit, DoorKind, DoorVerdict, Verdict};

use crate::common::{assert_reproduced, attack, attack_within, doors, found};
use crate::support::{Database, run};

#[tokio::test]
async fn every_door_is_held() {
    let database = Database::migrated("held").await;
    let mut client = database.admin().await;
    let outcome = attack(&mut client, "app_user").await;
    assert!(outcome.findings.is_empty(), "{:#?}", found(&outcome));
    assert!(outcome.doors.len() > 40, "{}", outcome.doors.len());
    for door in &outcome.doors {
        assert_eq!(door.verdict, DoorVerdict::Held, "{door:?}");
    }
}

/// The lookups answer whoever has the content of a row, a hash or an address, with ids; and tell nothing else.
#[tokio::test]
async fn every_lookup_is_held_and_says_what_it_answers_to() {
    let database = Database::migrated("lookups").await;
    let mut client = database.admin().await;
    let outcome = attack(&mut client, "app_user").await;
    let functions: Vec<_> = outcome
        .doors
        .iter()
        .filter(|door| door.kind == DoorKind::Function)
        .collect();
    assert_eq!(functions.len(), 5, "{functions:#?}");
    for door in &functions {
        assert_eq!(door.verdict, DoorVerdict::Held, "{door:?}");
        assert!(door.reason.contains("it answers whoever knows app."), "{door:?}");
    }
}

/// The twins of the lookups: functions that forget the tenant, tell more than ids, or put text into a statement.
const LEAKING_FUNCTIONS: &[(&str, &str)] = &[
    (
        "by_id(id text)",
        "create function app.by_id(id text) returns setof app.users language sql stable security definer
         as 'select * from app.users u where u.id = $1'",
    ),
    (
        "by_mail(email text)",
        "create function app.by_mail(email text) returns setof app.users language sql stable security definer
         as 'select * from app.users u where u.email = $1'",
    ),
    (
        "named(wanted text)",
        "create function app.named(wanted text) returns table (id text, email text)
         language plpgsql stable security definer as $$ begin return query execute
         'select id, email from app.users where tenant_id = current_setting(''app.current_tenant'', true)
           and email = ''' || wanted || ''''; end $$",
    ),
    (
        "dump(which text)",
        "create function app.dump(which text) returns setof text language plpgsql stable security definer
         as $$ begin return query execute 'select x::text from ' || which || ' as x'; end $$",
    ),
    (
        "complains(id text)",
        "create function app.complains(id text) returns boolean language plpgsql stable security definer
         as $$ declare mail text; begin select email into mail from app.users u where u.id = $1;
         if mail is not null then raise exception 'the user % is locked', mail; end if; return true; end $$",
    ),
    (
        "forget(id text)",
        "create function app.forget(id text) returns void language sql security definer
         as 'delete from app.users u where u.id = $1'",
    ),
];

#[tokio::test]
async fn functions_that_leak_are_found_beside_the_lookups() {
    let database = Database::migrated("functions").await;
    let mut client = database.admin().await;
    let mut transaction = client.transaction().await.unwrap();
    for (signature, sql) in LEAKING_FUNCTIONS {
        run(transaction.client(), sql).await;
        run(
            transaction.client(),
            &format!("grant execute on function app.{signature} to app_user"),
        )
        .await;
    }
    let outcome = attack_within(&mut transaction, "app_user").await;
    let leaking = doors(&outcome, DoorVerdict::Leak);
    for (signature, _) in LEAKING_FUNCTIONS {
        let door = format!("EXECUTE app.{signature}: ");
        assert!(
            leaking.iter().any(|leak| leak.starts_with(&door)),
            "{door}{:#?}",
            outcome.doors
        );
    }
    // Nothing else: the lookups among them are held as before.
    assert_eq!(leaking.len(), LEAKING_FUNCTIONS.len(), "{leaking:#?}");
    assert_reproduced(&outcome);
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
