//! Files that run outside a transaction: `CREATE INDEX CONCURRENTLY` and its like.

use rls_tool::migrate::MigrationReport;

use crate::project::{Project, exists, names, text, value, versions};
use crate::support::{Database, run};
use crate::tool::failure;

const MARK: &str = "-- rls-tool: no-transaction\n";

/// Three migrations and a policies file; the second is to run outside a transaction.
fn project(second: &str) -> Project {
    Project::new(&[
        (
            "migrations/V1__t.sql",
            "create table t (a int); insert into t values (1), (1);",
        ),
        ("migrations/V2__outside.sql", second),
        ("migrations/V3__after.sql", "create table after ();"),
        (
            "policies/t.sql",
            "alter table t enable row level security; create policy p on t using (a > 0);",
        ),
    ])
}

#[tokio::test]
async fn without_the_mark_the_error_says_to_set_it_and_nothing_stays() {
    let database = Database::create("outside").await;
    let mut client = database.admin().await;
    for statement in [
        "create index concurrently t_a on t (a);",
        "vacuum t;",
        "alter system set work_mem = '5MB'",
    ] {
        let project = project(statement);
        let error = project.refused(&mut client).await;
        assert!(
            error.contains("V2__outside.sql") && error.contains("inside a transaction block"),
            "{error}"
        );
        assert!(error.contains("-- rls-tool: no-transaction"), "{error}");
        assert!(!exists(&client, "t").await && versions(&client).await.is_empty());
    }
    // The twin: marked, and in a file of its own.
    let project = project(&format!("{MARK}create index concurrently t_a on t (a);"));
    let report = project.run(&mut client).await;
    assert_eq!(
        names(&report),
        ["V1__t.sql", "V2__outside.sql", "V3__after.sql", "t.sql"]
    );
    assert_eq!(versions(&client).await, "1,2,3");
    assert!(exists(&client, "t_a").await);
    assert!(project.run(&mut client).await.is_empty());
}

#[tokio::test]
async fn a_new_enum_value_that_is_used_at_once_is_explained() {
    let database = Database::create("outside").await;
    let mut client = database.admin().await;
    let project = Project::new(&[
        (
            "migrations/V1__kind.sql",
            "create type kind as enum ('a'); create table t (k kind)",
        ),
        ("migrations/V2__more.sql", "alter type kind add value 'b';"),
        ("migrations/V3__use.sql", "insert into t values ('b');"),
    ]);
    drop(project.migrator().target(1).run(&mut client).await.unwrap());
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("V3__use.sql") && error.contains("ADD VALUE into a file of its own"),
        "{error}"
    );
    project.write(
        "migrations/V2__more.sql",
        format!("{MARK}alter type kind add value 'b';"),
    );
    project.run(&mut client).await;
    assert_eq!(value(&client, "select k from t").await, "b");
}

#[tokio::test]
async fn a_failure_half_way_says_what_is_in_effect_and_a_re_run_continues() {
    let database = Database::create("outside").await;
    let mut client = database.admin().await;
    let project = project(&format!(
        "{MARK}create index concurrently t_a on t (a);\nselect 1 / 0;\ncreate table last ();"
    ));
    let error = project.try_run(&mut client).await.unwrap_err();
    let report = error.attached::<MigrationReport>().unwrap();
    assert_eq!(names(report), ["V1__t.sql", "t.sql"]);
    let error = text(&error);
    for said in [
        "applied and committed: ",
        "V1__t.sql, ",
        "policies/t.sql; not applied: ",
        "V3__after.sql",
        "V2__outside.sql, line 3: ERROR: division by zero",
        "1 of its 3 statements before that one are in effect, and the whole file will run again",
    ] {
        assert!(error.contains(said), "{said}\n{error}");
    }
    assert_eq!(versions(&client).await, "1");
    assert!(exists(&client, "t_a").await && !exists(&client, "last").await);
    // Its session has no lock and no time limit left.
    assert_eq!(value(&client, "current_setting('lock_timeout')").await, "0");
    assert_eq!(
        value(
            &client,
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        )
        .await,
        "0"
    );

    // As it is, the first statement is in its own way.
    project.write(
        "migrations/V2__outside.sql",
        format!("{MARK}create index concurrently t_a on t (a);\ncreate table last ();"),
    );
    assert!(project.refused(&mut client).await.contains("already exists"));
    project.write(
        "migrations/V2__outside.sql",
        format!("{MARK}create index concurrently if not exists t_a on t (a);\ncreate table last ();"),
    );
    assert_eq!(
        names(&project.run(&mut client).await),
        ["V2__outside.sql", "V3__after.sql"]
    );
    assert_eq!(versions(&client).await, "1,2,3");
}

/// `IF NOT EXISTS` skips the broken index that a failed attempt has left, and PostgreSQL calls that a success.
#[tokio::test]
async fn an_invalid_index_is_never_taken_for_done() {
    let database = Database::create("outside").await;
    let mut client = database.admin().await;
    let project = project(&format!(
        "{MARK}create unique index concurrently if not exists t_a on t (a);"
    ));
    for _ in 0..2 {
        let error = project.refused(&mut client).await;
        assert!(error.contains("has left an INVALID index: public.t_a"), "{error}");
        assert!(
            error.contains("drop index concurrently public.t_a; then run again"),
            "{error}"
        );
        assert_eq!(versions(&client).await, "1");
    }
    // The twin: the server itself finds nothing wrong.
    run(
        &client,
        "create unique index concurrently if not exists t_a on t (a)",
    )
    .await;

    run(&client, "drop index concurrently t_a").await;
    run(&client, "delete from t where ctid = (select min(ctid) from t)").await;
    project.run(&mut client).await;
    let valid = "select indisvalid from pg_index where indexrelid = 't_a'::regclass";
    assert_eq!(value(&client, valid).await, "true");
    assert_eq!(versions(&client).await, "1,2,3");
}

/// What is committed before the gap must not stand open while the file runs, however long it takes.
#[tokio::test]
async fn policies_of_new_tables_are_in_force_before_the_gap() {
    let database = Database::create("outside").await;
    let mut client = database.admin().await;
    let project = project(&format!(
        "{MARK}create table seen as select relrowsecurity as on from pg_class where oid = 't'::regclass;"
    ));
    project.run(&mut client).await;
    assert_eq!(value(&client, "select seen.on from seen").await, "true");
}

#[tokio::test]
async fn two_in_a_row_at_the_end_and_at_the_start() {
    let database = Database::create("outside").await;
    let mut client = database.admin().await;
    let alone = |table: &str| format!("{MARK}create table {table} ();");
    let project = Project::new(&[]);
    for version in [1, 2, 4, 5] {
        project.write(
            &format!("migrations/V{version}__m.sql"),
            alone(&format!("t{version}")),
        );
    }
    project.write("migrations/V3__m.sql", "create table t3 ()");
    let report = project.run(&mut client).await;
    assert_eq!(report.migrations.len(), 5);
    assert_eq!(versions(&client).await, "1,2,3,4,5");
    // A target before the file leaves it alone.
    project.write("migrations/V6__m.sql", "create table t6 ()");
    project.write("migrations/V7__m.sql", alone("t7"));
    let report = project.migrator().target(6).run(&mut client).await.unwrap();
    assert_eq!(names(&report), ["V6__m.sql"]);
    assert!(!exists(&client, "t7").await);
}

#[tokio::test]
async fn the_program_says_what_is_in_effect() {
    let database = Database::create("outside").await;
    let project = project(&format!("{MARK}create index concurrently t_b on t (b);"));
    let error = failure(&project.path(""), &["migrate", "--database-url", &database.url()]);
    let said = error.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(
        said.starts_with(
            "error: applied and committed: migrations/V1__t.sql, policies/t.sql; not applied: \
             migrations/V2__outside.sql, migrations/V3__after.sql: failed to run migrations/V2__outside.sql, line 2: "
        ),
        "{said}"
    );
    assert!(said.contains("column \"b\" does not exist"), "{said}");
}
