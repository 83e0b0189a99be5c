//! Nothing remains: the content of every table, the catalogs and the sequences are the same before and after, also
//! when the run is cancelled half-way or fails; and the transaction cannot be committed at all.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use rls_tool::attack::{self, Limits, Options};
use tokio_postgres::Client;

use crate::common::{attack, model};
use crate::support::{Database, run};

/// Catalogs that say what there is. Left out: statistics, and columns that vacuum and planner keep for themselves.
const CATALOGS: &[&str] = &[
    "select oid, relname, relnamespace, relowner, relkind, relacl, relrowsecurity, relforcerowsecurity from pg_class",
    "select oid, rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles",
    "table pg_namespace",
    "table pg_attribute",
    "table pg_attrdef",
    "table pg_constraint",
    "table pg_index",
    "table pg_policy",
    "table pg_proc",
    "table pg_trigger",
    "table pg_type",
    "table pg_rewrite",
    "table pg_depend",
    "table pg_auth_members",
    "table pg_db_role_setting",
    "table pg_sequence",
    "table pg_largeobject_metadata",
];

/// One line a table, catalog and sequence, with a hash of all that is in it.
async fn content(client: &Client) -> Vec<String> {
    content_of(client, CATALOGS).await
}

/// The same with only some of the catalogs.
pub(crate) async fn content_of(client: &Client, catalogs: &[&str]) -> Vec<String> {
    let sql = "select format(
                      'select %L || count(*) || coalesce(md5(string_agg(md5(x::text), %L order by md5(x::text))), %L)
                         from (select %s from %s %I.%I) as x',
                      c.oid::regclass || ' ', '', '-',
                      case c.relkind when 'S' then 'last_value, is_called' else '*' end,
                      case c.relkind when 'r' then 'only' else '' end, n.nspname, c.relname)
                 from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
                where c.relkind in ('r', 'S', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
                order by 1";
    let mut queries: Vec<String> = client
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    queries.extend(catalogs.iter().map(|catalog| {
        format!(
            "select {} || coalesce(md5(string_agg(md5(x::text), '' order by md5(x::text))), '-') from ({catalog}) as x",
            quote(catalog)
        )
    }));
    let mut lines = Vec::new();
    for query in queries {
        lines.push(client.query_one(&query, &[]).await.unwrap().get(0));
    }
    lines
}

fn quote(text: &str) -> String {
    format!("'{} '", text.replace('\'', "''"))
}

/// A database with the reference schema and rows of a real tenant.
async fn lived_in(hint: &str) -> Database {
    let database = Database::migrated(hint).await;
    let admin = database.admin().await;
    run(
        &admin,
        "insert into app.tenants (name, slug) values ('Real', 'real');
         insert into app.users (tenant_id, email) select id, 'real@example.com' from app.tenants;
         insert into app.processes (tenant_id, name) select id, 'real' from app.tenants;
         create sequence public.counted; select nextval('public.counted');",
    )
    .await;
    database
}

#[tokio::test]
async fn a_run_leaves_nothing_behind() {
    let database = lived_in("harmless").await;
    let witness = database.admin().await;
    // A leak in it, so that scripts are run too.
    run(
        &witness,
        "create policy open on app.users using (true) with check (true)",
    )
    .await;
    let before = content(&witness).await;
    let mut client = database.admin().await;
    let outcome = attack(&mut client, "app_user").await;
    assert!(!outcome.findings.is_empty() && outcome.attacks_run > 100);
    assert_eq!(content(&witness).await, before);
    assert_clean(&client).await;
}

/// The control of the test above: the comparison notices a row, a policy, a role's attribute and a sequence.
#[tokio::test]
async fn the_comparison_notices_changes() {
    let database = lived_in("noticed").await;
    let client = database.admin().await;
    let before = content(&client).await;
    for change in [
        "update app.users set name = 'x'",
        "alter policy tenant_isolation on app.users to public",
        "select nextval('public.counted')",
        "create table public.left_behind ()",
    ] {
        run(&client, &format!("begin; {change}")).await;
        assert_ne!(content(&client).await, before, "{change}");
        run(&client, "rollback").await;
    }
}

/// The session itself is as it was: no transaction, the own role, no temporary object.
async fn assert_clean(client: &Client) {
    let sql = "select current_user = session_user and session_user = 'postgres'
                  and pg_my_temp_schema() = 0 and coalesce(current_setting('app.current_tenant', true), '') = ''";
    let clean: bool = client.query_one(sql, &[]).await.unwrap().get(0);
    assert!(clean);
    let aborted = client.batch_execute("savepoint s").await.unwrap_err();
    assert_eq!(
        aborted.code().unwrap().code(),
        "25P01",
        "a transaction is still open"
    );
}

#[tokio::test]
async fn a_run_that_is_cancelled_leaves_nothing_behind() {
    let database = lived_in("cancelled").await;
    let witness = database.admin().await;
    let before = content(&witness).await;
    let mut client = database.admin().await;
    let (catalog, model) = {
        let transaction = client.transaction().await.unwrap();
        model(&transaction, "app_user").await
    };
    let options = Options::default();
    // Dropped after so many polls, from the first on; the last one is never reached.
    let mut polls = 1;
    let mut cancelled = 0;
    loop {
        let finished = {
            let mut future = pin!(attack::run(&mut client, &catalog, &model, &options));
            let mut left = polls;
            std::future::poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                match future.as_mut().poll(context) {
                    Poll::Ready(result) => {
                        result.unwrap();
                        Poll::Ready(true)
                    }
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        };
        assert_clean(&client).await;
        if finished {
            break;
        }
        cancelled += 1;
        polls += 1 + polls / 8;
    }
    assert!(cancelled > 10, "only {cancelled} points were tried");
    assert_eq!(content(&witness).await, before);
}

#[tokio::test]
async fn a_run_whose_backend_dies_leaves_nothing_behind() {
    let database = lived_in("killed").await;
    let witness = database.admin().await;
    let before = content(&witness).await;
    let mut client = database.admin().await;
    let (catalog, model) = {
        let transaction = client.transaction().await.unwrap();
        model(&transaction, "app_user").await
    };
    let pid: i32 = client
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let killer = database.admin().await;
    let kill = async {
        // Once it has made rows.
        loop {
            let sql =
                "select exists (select from pg_stat_activity where pid = $1 and backend_xid is not null)";
            if killer.query_one(sql, &[&pid]).await.unwrap().get(0) {
                break;
            }
        }
        killer
            .execute("select pg_terminate_backend($1)", &[&pid])
            .await
            .unwrap();
    };
    let options = Options::default();
    let (outcome, ()) = tokio::join!(attack::run(&mut client, &catalog, &model, &options), kill);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), rls_tool::ErrorKind::Closed, "{}", error.chain());
    assert_eq!(content(&witness).await, before);
}

#[tokio::test]
async fn an_exhausted_budget_decides_nothing() {
    let database = Database::migrated("budget").await;
    let mut client = database.admin().await;
    let (catalog, model) = {
        let transaction = client.transaction().await.unwrap();
        model(&transaction, "app_user").await
    };
    let options = Options {
        limits: Limits {
            budget: std::time::Duration::from_millis(1),
            ..Limits::default()
        },
        ..Options::default()
    };
    let outcome = attack::run(&mut client, &catalog, &model, &options)
        .await
        .unwrap();
    assert!(
        outcome
            .doors
            .iter()
            .all(|door| door.verdict == rls_tool::audit::DoorVerdict::Undecided)
    );
}

#[tokio::test]
async fn the_guard_makes_a_commit_impossible() {
    const GUARD: &str = include_str!("../../src/attack/sandbox/guard.sql");
    let database = Database::create("guard").await;
    let client = database.admin().await;
    run(&client, "create table public.t (n integer)").await;
    for attempt in [
        "commit",
        "prepare transaction 'x'",
        "set constraints all immediate",
        "discard temp",
    ] {
        run(
            &client,
            &format!("begin; insert into public.t values (1); {GUARD}"),
        )
        .await;
        assert!(client.batch_execute(attempt).await.is_err(), "{attempt}");
        run(&client, "rollback").await;
        let rows: i64 = client
            .query_one("select count(*) from public.t", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(rows, 0, "{attempt}");
    }
    // Without the guard the same commit stores the row.
    run(&client, "begin; insert into public.t values (1); commit").await;
    let rows: i64 = client
        .query_one("select count(*) from public.t", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_decides_nothing() {
    let database = Database::migrated("readonly").await;
    let mut client = database.admin().await;
    run(&client, "set default_transaction_read_only = on").await;
    let outcome = attack(&mut client, "app_user").await;
    assert_eq!(outcome.attacks_run, 0);
    for door in &outcome.doors {
        assert_eq!(door.verdict, rls_tool::audit::DoorVerdict::Undecided);
        assert!(door.reason.contains("does not accept writes"), "{}", door.reason);
    }
}

#[tokio::test]
async fn a_role_that_row_security_does_not_hold_is_not_attacked_table_by_table() {
    let database = Database::migrated("escape").await;
    let mut client = database.admin().await;
    let outcome = attack(&mut client, "postgres").await;
    assert!(outcome.findings.is_empty() && outcome.attacks_run == 0);
    assert!(
        outcome
            .doors
            .iter()
            .any(|door| door.reason.contains("is a superuser")),
        "{:#?}",
        outcome.doors
    );
}
