//! Data migrations under FORCE ROW LEVEL SECURITY: an UPDATE that row security turns into nothing is an error, not a
//! success. The migrator here is an ordinary role that owns its tables.

use tokio_postgres::Client;

use crate::project::{Project, names, value, versions};
use crate::support::{Database, run};

pub(crate) const OWNER: &str = "silent_owner";
const OTHER: &str = "silent_other";

/// A database in which the owner may create things.
pub(crate) async fn database() -> Database {
    let database = Database::create("silent").await;
    let admin = database.admin().await;
    for (role, with) in [(OWNER, "login"), (OTHER, "nologin")] {
        run(
            &admin,
            &format!(
                "do $$ begin create role {role} {with};
                 exception when duplicate_object or unique_violation then null; end $$"
            ),
        )
        .await;
    }
    run(
        &admin,
        &format!("grant {OTHER} to {OWNER}; grant create on schema public to {OWNER}"),
    )
    .await;
    database
}

/// Two tenants' rows; the policies come from a file, as FORCE.
pub(crate) fn project() -> Project {
    Project::new(&[
        (
            "migrations/V1__orders.sql",
            "create table orders (tenant text, total int);
             insert into orders values ('a', 1), ('b', 2);
             create table archive (tenant text, total int);
             create view open_orders as select * from orders;
             create table parts (tenant text, n int) partition by list (n);
             create table part_1 partition of parts for values in (1);
             insert into parts values ('a', 1);
             create function close_orders() returns void language sql as 'update orders set total = 0';
             create procedure close_all() language plpgsql as
                 $$ begin execute 'update public.or' || 'ders set total = 0'; end $$",
        ),
        (
            "policies/orders.sql",
            "alter table orders enable row level security, force row level security;
             create policy tenant on orders using (tenant = current_setting('app.tenant', true));",
        ),
        (
            "policies/parts.sql",
            "alter table parts enable row level security, force row level security;
             create policy tenant on parts using (tenant = current_setting('app.tenant', true));",
        ),
    ])
}

const TOTALS: &str = "select string_agg(total::text, ',' order by tenant) from orders";

/// Data migrations that are meant to change rows and change none.
const NOTHING: &[&str] = &[
    "update orders set total = 0;",
    "delete from orders;",
    "with old as (delete from orders returning *) insert into archive select * from old;",
    "insert into archive select * from orders;",
    "update open_orders set total = 0;",
    "update only public.orders as o set total = 0 where o.total > 0;",
    "update orders set total = 0 where ctid in (select ctid from orders for update);",
    "do $$ begin update orders set total = 0; end $$;",
    "do $$ declare n int; begin update orders set total = 0; get diagnostics n = row_count;
     raise notice '%', n; end $$;",
    "do $$ begin execute 'update public.or' || 'ders set total = 0'; end $$;",
    "select close_orders();",
    "call close_all();",
    "update parts set n = 1;",
    "delete from parts;",
    "set local role silent_owner; update orders set total = 0;",
    "create table more (a int); insert into more values (1); update orders set total = 0;",
];

#[tokio::test]
async fn a_data_migration_that_row_security_makes_nothing_of_is_refused() {
    let database = database().await;
    let admin = database.admin().await;
    let (project, mut client) = (project(), database.client_as(OWNER).await);
    project.run(&mut client).await;
    for sql in NOTHING {
        project.write("migrations/V2__data.sql", sql);
        let error = project.refused(&mut client).await;
        assert!(
            error.contains("V2__data.sql changed no row of public."),
            "{sql}\n{error}"
        );
        assert!(
            error.contains(
                "row security hides rows from the role \"silent_owner\", although it owns the table"
            ),
            "{sql}\n{error}"
        );
        assert!(error.contains("-- rls-tool: rls-aware"), "{error}");
        assert_eq!(versions(&admin).await, "1", "{sql}");

        // The twin: marked as if it knew, or sent by hand, it runs, changes nothing and says nothing.
        run(&client, &format!("begin; {sql} rollback")).await;
        project.write(
            "migrations/V2__data.sql",
            format!("-- rls-tool: rls-aware\n{sql}"),
        );
        drop(project.migrator().dry_run(true).run(&mut client).await.unwrap());
    }
    assert_eq!(value(&admin, TOTALS).await, "1,2");
}

#[tokio::test]
async fn merge_is_seen_too() {
    let database = database().await;
    let (project, mut client) = (project(), database.client_as(OWNER).await);
    project.run(&mut client).await;
    project.write(
        "migrations/V2__data.sql",
        "merge into orders as o using archive as a on o.tenant = a.tenant when matched then update set total = 0;",
    );
    run(&client, "insert into archive values ('a', 1)").await;
    let old = value(&client, "current_setting('server_version_num')::int < 150000").await == "true";
    let error = project.refused(&mut client).await;
    // PostgreSQL 14 has no MERGE.
    let said = if old {
        "syntax error"
    } else {
        "changed no row of public.orders"
    };
    assert!(error.contains(said), "{error}");
}

/// Files of one run share a transaction: that an earlier one changed the table must hide nothing.
#[tokio::test]
async fn each_file_of_a_run_is_judged_by_itself() {
    let database = database().await;
    let (project, mut client) = (project(), database.client_as(OWNER).await);
    project.write(
        "migrations/V2__force.sql",
        "alter table orders enable row level security, force row level security;",
    );
    project.write("migrations/V3__data.sql", "update orders set total = 0;");
    let error = project.refused(&mut client).await;
    assert!(error.contains("V3__data.sql changed no row"), "{error}");
    project.write(
        "migrations/V3__data.sql",
        "do $$ begin update orders set total = 0; end $$;",
    );
    let error = project.refused(&mut client).await;
    assert!(error.contains("V3__data.sql changed no row"), "{error}");
    // The twin: before FORCE, the owner sees every row.
    project.write("migrations/V2__force.sql", "update orders set total = 5;");
    project.write("migrations/V3__data.sql", "update orders set total = total + 1;");
    project.run(&mut client).await;
    assert_eq!(value(&database.admin().await, TOTALS).await, "6,6");
}

/// Ways to do it right: each changes every row, and none is complained about.
const CURES: &[&str] = &[
    // FORCE is lifted within the transaction, so that nobody ever sees the table without it.
    "alter table orders no force row level security;
     update orders set total = total + 10;
     alter table orders force row level security;",
    // A role with a policy of its own.
    "create policy migration on orders to silent_other using (true) with check (true);
     grant select, update on orders to silent_other;
     set local role silent_other;
     update orders set total = total + 10;
     reset role;
     drop policy migration on orders;
     revoke all on orders from silent_other;",
];

async fn cured(sql: &str, role: &str) -> (Vec<String>, Vec<String>, String) {
    let database = database().await;
    let project = project();
    project.run(&mut database.client_as(OWNER).await).await;
    project.write("migrations/V2__data.sql", sql);
    let mut client: Client = database.client_as(role).await;
    let report = project.run(&mut client).await;
    let totals = value(&database.admin().await, TOTALS).await;
    (names(&report), report.warnings, totals)
}

#[tokio::test]
async fn the_forms_that_know_row_security_pass() {
    for sql in CURES {
        let (names, warnings, totals) = cured(sql, OWNER).await;
        assert_eq!(names, ["V2__data.sql"], "{sql}");
        assert!(warnings.is_empty(), "{sql}: {warnings:?}");
        assert_eq!(totals, "11,12", "{sql}");
    }
    // A superuser is not subject to it.
    let (_, warnings, totals) = cured("update orders set total = total + 10;", "postgres").await;
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(totals, "11,12");
    // Nor is anybody complained about who looks for rows that are not there.
    let (_, warnings, _) = cured("update orders set total = 0 where tenant = 'nobody';", "postgres").await;
    assert!(warnings.is_empty(), "{warnings:?}");
    // A loop over the tenants: its author knows which rows it reaches.
    let bound = "do $$ declare t text; begin
                 foreach t in array array['a', 'b'] loop
                     perform set_config('app.tenant', t, true);
                     update orders set total = total + 10;
                 end loop; end $$;";
    let (_, warnings, totals) = cured(bound, OWNER).await;
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(totals, "11,12");
}

/// A view's and a SECURITY DEFINER function's statements run as their owner: a superuser's UPDATE through them is subject
/// to row security all the same.
#[tokio::test]
async fn a_superuser_who_acts_through_the_owner_is_seen() {
    let database = database().await;
    let project = project();
    project.write(
        "migrations/V2__function.sql",
        "create function close_as_owner() returns void language sql security definer as 'update orders set total = 0'",
    );
    project.run(&mut database.client_as(OWNER).await).await;
    let mut admin = database.admin().await;
    for sql in [
        "update open_orders set total = 0;",
        "select close_as_owner();",
        "do $$ begin perform public.close_as_owner(); end $$;",
    ] {
        project.write("migrations/V3__data.sql", sql);
        let error = project.refused(&mut admin).await;
        assert!(
            error.contains(
                "changed no row of public.orders: row security hides rows from the role \"silent_owner\""
            ),
            "{sql}\n{error}"
        );
    }
    // The twins: nothing is changed, and nothing said; the superuser's own UPDATE changes all.
    run(
        &admin,
        "select close_as_owner(); update open_orders set total = 0",
    )
    .await;
    assert_eq!(value(&admin, TOTALS).await, "1,2");
    project.write("migrations/V3__data.sql", "update orders set total = 0;");
    project.run(&mut admin).await;
    assert_eq!(value(&admin, TOTALS).await, "0,0");
}

/// Rows that every tenant sees are changed, others are hidden: no error, and not silence either.
#[tokio::test]
async fn a_part_of_the_rows_is_a_warning() {
    let database = database().await;
    let (project, mut client) = (project(), database.client_as(OWNER).await);
    project.write(
        "policies/orders.sql",
        "alter table orders enable row level security, force row level security;
         create policy tenant on orders using (total < 2 or tenant = current_setting('app.tenant', true));",
    );
    project.run(&mut client).await;
    project.write("migrations/V2__data.sql", "update orders set total = 0;");
    let report = project.migrator().dry_run(true).run(&mut client).await.unwrap();
    assert!(
        report.warnings[0].contains(
            "V2__data.sql changed 1 row of public.orders, and may have missed others: row security"
        ) && report.warnings[0].contains("hides rows from the role \"silent_owner\""),
        "{report:?}"
    );
    // The twin: what the warning is about.
    project.write(
        "migrations/V2__data.sql",
        "-- rls-tool: rls-aware\nupdate orders set total = 0;",
    );
    let report = project.run(&mut client).await;
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(
        value(&database.admin().await, TOTALS).await,
        "0,2",
        "the silent half"
    );
}

#[tokio::test]
async fn an_empty_table_is_a_warning_and_foreign_keys_are_nobodys_update() {
    let database = database().await;
    let (project, mut client) = (project(), database.client_as(OWNER).await);
    project.run(&mut client).await;
    project.write(
        "migrations/V2__empty.sql",
        "create table later (tenant text, total int);
         alter table later enable row level security, force row level security;",
    );
    project.run(&mut client).await;
    project.write("migrations/V3__data.sql", "update later set total = 0;");
    let report = project.run(&mut client).await;
    assert!(
        report.warnings[0].contains("The table is empty, so nothing was missed here"),
        "{report:?}"
    );
    // ON DELETE CASCADE reaches rows that row security hides: nothing is missed.
    project.write(
        "migrations/V4__keys.sql",
        "create table head (id int primary key); create table line (id int references head on delete cascade);
         insert into head values (1), (2); insert into line values (1);
         alter table line enable row level security, force row level security;",
    );
    project.write("migrations/V5__delete.sql", "delete from head where id = 1;");
    let report = project.run(&mut client).await;
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(
        value(&database.admin().await, "select count(*) from line").await,
        "0"
    );
}

/// Outside a transaction nothing can be taken back: such a file is refused before it runs, by what it says.
#[tokio::test]
async fn a_file_outside_a_transaction_is_refused_before_it_runs() {
    let database = database().await;
    let (project, mut client) = (project(), database.client_as(OWNER).await);
    project.run(&mut client).await;
    let mark = "-- rls-tool: no-transaction\n";
    for sql in [
        "create table made ();\nupdate orders set total = 0;",
        "create table made ();\ndo $$ begin delete from public.orders; commit; end $$;",
    ] {
        project.write("migrations/V2__data.sql", format!("{mark}{sql}"));
        let error = project.refused(&mut client).await;
        assert!(
            error.contains("V2__data.sql is to change public.orders outside a transaction"),
            "{error}"
        );
        assert!(error.contains("-- rls-tool: rls-aware"), "{error}");
        assert_eq!(value(&client, "to_regclass('made')").await, "NULL");
    }
    // The twin: marked, it runs, and changes nothing.
    project.write(
        "migrations/V2__data.sql",
        format!("{mark}-- rls-tool: rls-aware\nupdate orders set total = 0;"),
    );
    project.run(&mut client).await;
    assert_eq!(value(&database.admin().await, TOTALS).await, "1,2");
    // One that does not change such a table is nobody's business.
    project.write(
        "migrations/V3__index.sql",
        format!("{mark}create index concurrently on orders (total);\nupdate archive set total = 1;"),
    );
    project.run(&mut client).await;
}
