//! Rows can be made for demanding schemas; what cannot be filled is undecided with the reason.

use rls_tool::audit::DoorVerdict;

use crate::common::{attack_within, doors, found};
use crate::support::{Database, run};

/// Attacks `sql`, whose audited role is `rows_app`, and gives the doors that are not held.
async fn not_held(sql: &str) -> Vec<String> {
    let database = Database::create("rows").await;
    let mut client = database.admin().await;
    let mut transaction = client.transaction().await.unwrap();
    run(
        transaction.client(),
        &format!("create role rows_app nologin; {sql}"),
    )
    .await;
    run(
        transaction.client(),
        "do $$ declare t regclass; begin
           for t in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                     and not relispartition
           loop
             execute format('grant select, insert, update, delete on %s to rows_app', t);
             execute format('alter table %s enable row level security', t);
             if exists (select from pg_attribute where attrelid = t and attname = 'tenant_id' and not attisdropped) then
               execute format('create policy p on %s using (tenant_id::text = current_setting(''app.current_tenant'', true))', t);
             end if;
           end loop;
         end $$",
    )
    .await;
    let outcome = attack_within(&mut transaction, "rows_app").await;
    // That a key is taken, or a reference accepted, is a warning, and true of some of these tables.
    let is_error = |finding: &&rls_tool::audit::Finding| finding.severity == rls_tool::audit::Severity::Error;
    assert_eq!(
        outcome.findings.iter().find(is_error),
        None,
        "{:#?}",
        found(&outcome)
    );
    let leaks = doors(&outcome, DoorVerdict::Leak);
    assert!(leaks.is_empty(), "{leaks:#?}");
    doors(&outcome, DoorVerdict::Undecided)
}

async fn all_held(sql: &str) {
    let doors = not_held(sql).await;
    assert!(doors.is_empty(), "{doors:#?}");
}

#[tokio::test]
async fn types_of_every_sort() {
    all_held(include_str!("rows/types.sql")).await;
}

#[tokio::test]
async fn checks_of_the_usual_shapes() {
    all_held(include_str!("rows/checks.sql")).await;
}

#[tokio::test]
async fn foreign_keys_of_every_sort() {
    all_held(include_str!("rows/foreign_keys.sql")).await;
}

#[tokio::test]
async fn partitions_and_keys() {
    all_held(include_str!("rows/partitions.sql")).await;
}

#[tokio::test]
async fn a_table_that_cannot_be_filled_is_undecided_with_the_reason() {
    let doors = not_held(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'only on sundays'; end $$;
         create table a (id int primary key, tenant_id int not null);
         create table b (id int primary key, tenant_id int not null, a_id int not null references a);
         create trigger refuse before insert on a for each row execute function refuse();",
    )
    .await;
    assert_eq!(doors.len(), 8, "{doors:#?}");
    assert!(
        doors.iter().all(|door| door.contains("only on sundays")),
        "{doors:#?}"
    );
    assert!(
        doors.iter().any(|door| door.starts_with("SELECT public.b: ")),
        "{doors:#?}"
    );
}

#[tokio::test]
async fn a_dead_context_is_undecided() {
    // The policies want another setting than the one that is bound.
    let doors = not_held(
        "create table a (id int primary key, tenant_id int not null);
         create policy q on a as restrictive using (current_setting('app.login', true) = 'yes');",
    )
    .await;
    assert_eq!(doors.len(), 4, "{doors:#?}");
    assert!(
        doors.iter().all(|door| door.contains("dead context")),
        "{doors:#?}"
    );
}
