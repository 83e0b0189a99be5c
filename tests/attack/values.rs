//! Rows with the values that policies and views ask about: a border that is open only for some rows is broken into, and
//! where no made row has the value, what the proof knows overrules "held".

use std::fmt::Write as _;

use rls_tool::audit::{Audit, Door, DoorVerdict};
use rls_tool::model::{Config, Level};

use crate::common::{assert_reproduced, attack_within, doors, found};
use crate::support::{Database, run};

const OWN: &str = "tenant_id = current_setting('app.current_tenant', true)";

/// Conditions that some rows satisfy and plain ones do not.
const RARE: [&str; 6] = [
    "is_public",
    "state = 'published'",
    "deleted_at is not null",
    "note = 'for everybody'",
    "level >= 7",
    "(is_public is null or state = 'archived') and note like 'open%'",
];

/// A table for each condition, a view over one, and a function that returns one.
fn schema(join: &str) -> String {
    let mut sql = "create role values_app nologin;
        create type state as enum ('draft', 'published', 'archived');"
        .to_owned();
    for (number, rare) in RARE.iter().enumerate() {
        write!(
        sql,
            "create table public.t{number} (id int primary key, tenant_id text not null, is_public boolean default false,
                 state state not null default 'draft', deleted_at timestamptz, note text, level int not null default 1);
             alter table public.t{number} enable row level security;
             create policy p on public.t{number} using ({OWN} {join} ({rare}));
             grant select, insert, update, delete on public.t{number} to values_app;"
        ).unwrap();
    }
    write!(
        sql,
        "create table public.hidden (id int primary key, tenant_id text not null, is_public boolean not null, note text);
         create view public.shown with (security_barrier) as
             select * from public.hidden where {OWN} {join} is_public;
         create function public.listed() returns setof public.hidden language sql stable security definer
             set search_path = pg_catalog, pg_temp
             as $$ select * from public.hidden where {OWN} {join} note = 'listed' $$;
         alter table public.hidden enable row level security;
         grant select on public.shown to values_app;"
    ).unwrap();
    sql
}

#[tokio::test]
async fn borders_that_are_open_for_some_rows_are_broken_into() {
    let database = Database::create("values_bad").await;
    let mut client = database.admin().await;
    let mut transaction = client.transaction().await.unwrap();
    run(transaction.client(), &schema("or")).await;
    let outcome = attack_within(&mut transaction, "values_app").await;
    let found = found(&outcome);
    for number in 0..RARE.len() {
        for (check, command) in [
            ("cross-tenant-read", "SELECT"),
            ("cross-tenant-insert", "INSERT"),
            ("cross-tenant-delete", "DELETE"),
        ] {
            let wanted = format!("{check} {command} public.t{number}");
            assert!(found.contains(&wanted), "{wanted}: {found:#?}");
        }
        let taken = format!("row-taken-over UPDATE public.t{number}");
        let changed = format!("cross-tenant-update UPDATE public.t{number}");
        assert!(
            found.contains(&taken) || found.contains(&changed),
            "{taken}: {found:#?}"
        );
    }
    for wanted in [
        "cross-tenant-read SELECT public.shown",
        "function-shows-foreign-rows EXECUTE public.listed()",
    ] {
        assert!(found.iter().any(|line| line == wanted), "{wanted}: {found:#?}");
    }
    assert_reproduced(&outcome);
}

/// The twin: the same questions, asked beside the border and not instead of it.
#[tokio::test]
async fn the_same_conditions_behind_the_border_hold() {
    let database = Database::create("values_good").await;
    let mut client = database.admin().await;
    let mut transaction = client.transaction().await.unwrap();
    run(transaction.client(), &schema("and")).await;
    let outcome = attack_within(&mut transaction, "values_app").await;
    assert!(outcome.findings.is_empty(), "{:#?}", found(&outcome));
    let undecided = doors(&outcome, DoorVerdict::Undecided);
    // The controls need the rare rows as well: without them the context would be dead.
    assert!(undecided.is_empty(), "{undecided:#?}");
}

/// Five columns must each have a value of their own: no made row has them all.
#[tokio::test]
async fn a_refutation_overrules_attacks_that_failed() {
    let database = Database::create("values_refuted").await;
    let client = database.admin().await;
    run(
        &client,
        &format!(
            "do $$ begin create role values_refuted_app nologin; exception when duplicate_object then null; end $$;
             create table public.t (id int primary key, tenant_id text not null, a int not null, b int not null,
                 c int not null, d int not null, e int not null);
             alter table public.t enable row level security;
             create policy p on public.t using ({OWN} or 1 = a and 22 = b and 333 = c and 4444 = d and 55555 = e);
             grant select on public.t to values_refuted_app"
        ),
    )
    .await;
    let mut transaction = database.admin().await;
    let mut transaction = transaction.transaction().await.unwrap();
    let attacked = attack_within(&mut transaction, "values_refuted_app").await;
    assert_eq!(
        attacked.doors[0].verdict,
        DoorVerdict::Held,
        "{:?}",
        attacked.doors
    );
    let mut config = Config {
        roles: vec!["values_refuted_app".to_owned()],
        ..Config::default()
    };
    let verdict = async |config: &Config| -> Door {
        let audit = Audit::new().config(config.clone());
        let report = audit.run(&mut database.admin().await).await.unwrap();
        report.doors.into_iter().next().unwrap()
    };
    let door = verdict(&config).await;
    assert_eq!(door.verdict, DoorVerdict::Leak, "{door:?}");
    // Also where nobody wants to hear of it.
    config
        .checks
        .insert("policy-admits-foreign-rows".to_owned(), Level::Off);
    let door = verdict(&config).await;
    assert_eq!(door.verdict, DoorVerdict::Undecided, "{door:?}");
    drop(transaction);
    run(
        &client,
        &format!("alter policy p on public.t using ({OWN} and a = 1)"),
    )
    .await;
    let door = verdict(&config).await;
    let holds = matches!(door.verdict, DoorVerdict::Held | DoorVerdict::Proven);
    assert!(holds, "{door:?}");
}
