//! What a finding shows, and what a door's verdict rests on.

use rls_tool::audit::{Audit, Command, Door, DoorKind, DoorVerdict, EvidenceKind, Report, Severity};

use crate::idioms::catalog_of;
use crate::support::Database;

async fn report(sql: &str) -> Report {
    Audit::new().run_offline(&catalog_of(sql).await).unwrap()
}

#[tokio::test]
async fn a_cause_is_told_once_with_the_row_that_shows_it() {
    let report = report(
        "create role evidence_once login;
        create table invoice (tenant_id text not null, total int);
        alter table invoice enable row level security, force row level security;
        create policy tenant on invoice using (true);
        grant select on invoice to evidence_once;",
    )
    .await;
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let [only] = errors.collect::<Vec<_>>()[..] else {
        panic!("{:#?}", report.findings)
    };
    assert_eq!(only.check, "policy-always-true");
    assert_eq!(only.evidence.kind, EvidenceKind::Proof);
    let shown = only.evidence.counterexample.as_ref().unwrap();
    assert!(shown["row"]["tenant_id"].is_string(), "{shown}");
    assert!(
        only.evidence
            .exploit_sql
            .as_deref()
            .unwrap()
            .contains("set_config")
    );
}

/// Rows are changed through the partitioned table by a role that may not change the tenant column, under a policy that
/// checks nothing of what is written.
async fn update_of_partitions(trigger: &str) -> DoorVerdict {
    let report = report(&format!(
        "create role evidence_leaf login;
        create table log (tenant_id text not null, at date, note text) partition by range (at);
        create table log_1 partition of log default;
        alter table log enable row level security, force row level security;
        create policy tenant on log using (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
            with check (true);
        create function moved() returns trigger language plpgsql as
            $$ begin new.tenant_id := new.note; return new; end $$;
        {trigger}
        grant select, update (note) on log to evidence_leaf;"
    ))
    .await;
    let mut doors = report.doors.iter();
    let door = doors.find(|door| door.command == Command::Update && door.object.to_string() == "public.log");
    door.unwrap().verdict
}

#[tokio::test]
async fn a_trigger_of_a_partition_may_move_what_the_role_may_not() {
    assert_eq!(update_of_partitions("").await, DoorVerdict::Proven);
    let trigger = "create trigger moved before update on log_1 for each row execute function moved();";
    assert_ne!(update_of_partitions(trigger).await, DoorVerdict::Proven);
}

/// What a view over one table is called after attacks, where the table's policy is this.
async fn view_over(policy: &str) -> Door {
    let database = Database::create("evidence").await;
    let mut admin = database.admin().await;
    let mut transaction = admin.transaction().await.unwrap();
    let sql = format!(
        "create role evidence_view login;
        create table invoice (id int primary key, tenant_id text not null, total int);
        alter table invoice enable row level security, force row level security;
        create policy tenant on invoice using ({policy});
        create view own with (security_barrier) as select * from invoice
            where tenant_id = nullif(current_setting('app.current_tenant', true), '');
        grant select on invoice, own to evidence_view;"
    );
    transaction.batch_execute(&sql).await.unwrap();
    let report = Audit::new()
        .role("evidence_view")
        .run_within(&mut transaction)
        .await;
    let doors = report.unwrap_or_else(|error| panic!("{}", error.chain())).doors;
    let mut views = doors
        .into_iter()
        .filter(|door| door.kind == DoorKind::View && door.command == Command::Select);
    views.next().unwrap()
}

#[tokio::test]
async fn a_view_over_a_table_that_leaks_is_never_held() {
    let leaking = view_over("true").await;
    assert_eq!(leaking.verdict, DoorVerdict::Undecided, "{leaking:?}");
    assert!(
        leaking.reason.ends_with("public.invoice, behind it, leaks"),
        "{leaking:?}"
    );
    // The twin: the same view, the same attacks, over a table that holds.
    let kept = view_over("tenant_id = nullif(current_setting('app.current_tenant', true), '')").await;
    assert_eq!(kept.verdict, DoorVerdict::Held, "{kept:?}");
}
