//! A run that ends in the middle: a broken connection, a signal, a dropped future, a file that would end the transaction.
//! Nothing is left half-way, and running again goes on.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rls_tool::ErrorKind;
use rls_tool::migrate::MigrationReport;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::project::{Project, exists, names, text, value, versions};
use crate::support::{Database, run};
use crate::tool::{command, failure, read};

/// Its second file waits until the test lets go of the advisory lock 42; each leaves a row every time it runs.
fn project(mark: &str) -> Project {
    Project::new(&[
        (
            "migrations/V1__ran.sql",
            "create table ran (file text); insert into ran values ('V1');",
        ),
        (
            "migrations/V2__waits.sql",
            &format!(
                "{mark}insert into ran values ('V2');\nselect pg_advisory_lock(42), pg_advisory_unlock(42);"
            ),
        ),
        ("migrations/V3__more.sql", "insert into ran values ('V3');"),
        ("policies/ran.sql", "alter table ran enable row level security;"),
    ])
}

const RAN: &str = "select string_agg(file, ',' order by file) from ran";
const NO_TRANSACTION: &str = "-- rls-tool: no-transaction\n";

/// The session that waits for lock 42.
async fn waiting(admin: &Client) -> i32 {
    let sql = "select pid from pg_locks where locktype = 'advisory' and objid = 42 and not granted
               and database = (select oid from pg_database where datname = current_database())";
    loop {
        if let Some(row) = admin.query_opt(sql, &[]).await.unwrap() {
            return row.get(0);
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn hold(admin: &Client) {
    run(admin, "select pg_advisory_lock(42)").await;
}

async fn let_go(admin: &Client) {
    run(admin, "select pg_advisory_unlock(42)").await;
}

async fn terminate(admin: &Client) {
    let pid = waiting(admin).await;
    run(admin, &format!("select pg_terminate_backend({pid})")).await;
}

#[tokio::test]
async fn a_terminated_connection_leaves_nothing_and_a_re_run_continues() {
    let database = Database::create("interrupted").await;
    let (project, admin, mut client) = (project(""), database.admin().await, database.admin().await);
    hold(&admin).await;
    let (result, ()) = tokio::join!(project.try_run(&mut client), terminate(&admin));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.attached::<MigrationReport>().unwrap().is_empty());
    let error = text(&error);
    assert!(
        error.contains("nothing was applied") && error.contains("V2__waits.sql"),
        "{error}"
    );
    assert!(
        error.contains("run it again when the database is back"),
        "{error}"
    );
    assert!(!exists(&admin, "ran").await && versions(&admin).await.is_empty());

    let_go(&admin).await;
    project.run(&mut database.admin().await).await;
    assert_eq!(value(&admin, RAN).await, "V1,V2,V3");
}

#[tokio::test]
async fn outside_a_transaction_the_error_says_what_stays() {
    let database = Database::create("interrupted").await;
    let (project, admin, mut client) = (
        project(NO_TRANSACTION),
        database.admin().await,
        database.admin().await,
    );
    hold(&admin).await;
    let (result, ()) = tokio::join!(project.try_run(&mut client), terminate(&admin));
    let error = result.unwrap_err();
    assert_eq!(
        names(error.attached::<MigrationReport>().unwrap()),
        ["V1__ran.sql", "ran.sql"]
    );
    let error = text(&error);
    assert!(
        error.contains("applied and committed: ") && error.contains("not applied: "),
        "{error}"
    );
    assert!(
        error.contains("V2__waits.sql, line 3") && error.contains("may have been finished by the server"),
        "{error}"
    );
    assert_eq!(versions(&admin).await, "1");
    assert_eq!(value(&admin, RAN).await, "V1,V2", "the statement before stays");

    // The whole file runs again: here it was not made fit for that.
    let_go(&admin).await;
    let report = project.run(&mut database.admin().await).await;
    assert_eq!(names(&report), ["V2__waits.sql", "V3__more.sql"]);
    assert_eq!(value(&admin, RAN).await, "V1,V2,V2,V3");
}

fn start(folder: &Path, url: &str) -> Child {
    command(folder, &["migrate", "--database-url", url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[tokio::test]
async fn a_signal_ends_the_program_and_leaves_nothing() {
    let database = Database::create("interrupted").await;
    let (project, admin, url) = (project(""), database.admin().await, database.url());
    for (number, name) in [(Signal::SIGINT, "SIGINT"), (Signal::SIGTERM, "SIGTERM")] {
        hold(&admin).await;
        let child = start(&project.path(""), &url);
        waiting(&admin).await;
        signal(&child, number);
        let (code, out, err) = read(&child.wait_with_output().unwrap());
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        // Whoever pressed Ctrl-C knows; of a supervisor's signal the log tells.
        let told = number == Signal::SIGTERM;
        assert_eq!(
            err.contains("error: interrupted by SIGTERM"),
            told,
            "{name}: {err}"
        );
        assert_eq!(err.contains("error"), told, "{name}: {err}");
        let_go(&admin).await;
        assert!(versions(&admin).await.is_empty());
    }
    // SIGKILL leaves no time to say goodbye: the server finds out when it has an answer to give. A run that starts
    // before that waits for it.
    hold(&admin).await;
    let mut child = start(&project.path(""), &url);
    waiting(&admin).await;
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    let mut client = database.admin().await;
    let (report, ()) = tokio::join!(project.run(&mut client), async {
        sleep(Duration::from_millis(200)).await;
        let_go(&admin).await;
    });
    assert_eq!(report.migrations.len(), 3);
    assert_eq!(value(&admin, RAN).await, "V1,V2,V3");
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing() {
    let database = Database::create("interrupted").await;
    let (project, admin, mut client) = (project(""), database.admin().await, database.admin().await);
    hold(&admin).await;
    let dropped = timeout(Duration::from_millis(300), project.run(&mut client)).await;
    assert!(dropped.is_err());
    let_go(&admin).await;
    project.run(&mut database.admin().await).await;
    assert_eq!(value(&admin, RAN).await, "V1,V2,V3");
}

#[tokio::test]
async fn a_file_cannot_end_the_runs_transaction() {
    let database = Database::create("interrupted").await;
    let (admin, url) = (database.admin().await, database.url());
    let with = |sql: &str| {
        Project::new(&[
            ("migrations/V1__a.sql", "create table a ();"),
            ("migrations/V2__b.sql", sql),
        ])
    };
    for sql in [
        "create table b ();\ncommit;",
        "create table b ();\nrollback;",
        "create table b ();\nend;\nbegin;",
        // What reading the file does not show, PostgreSQL refuses itself.
        "create table b (); do $$ begin commit; end $$;",
        "create table b (); do $$ begin execute 'commit'; end $$;",
        "create procedure p() language plpgsql as $$ begin rollback; end $$; call p();",
    ] {
        let error = failure(&with(sql).path(""), &["migrate", "--database-url", &url]);
        assert!(error.contains("V2__b.sql"), "{sql}: {error}");
        assert!(
            !exists(&admin, "a").await && !exists(&admin, "b").await,
            "{sql}: nothing was applied"
        );
        assert!(versions(&admin).await.is_empty(), "{sql}");
    }
    // The twin: the same text, sent as it is after BEGIN, has committed the half of it.
    admin
        .batch_execute("begin; create table a (); commit; select 1 / 0;")
        .await
        .unwrap_err();
    assert!(exists(&admin, "a").await);
    run(&admin, "drop table a").await;

    let project = with("savepoint s; create table gone (); rollback to s; create table b ();");
    assert_eq!(
        names(&project.run(&mut database.admin().await).await),
        ["V1__a.sql", "V2__b.sql"]
    );
    assert!(exists(&admin, "b").await && !exists(&admin, "gone").await);
}

#[tokio::test]
async fn migrations_and_policies_are_applied_together_or_not_at_all() {
    let database = Database::create("interrupted").await;
    let mut client = database.admin().await;
    let project = Project::new(&[
        ("migrations/V1__a.sql", "create table a (); create table b ();"),
        (
            "policies/a.sql",
            "alter table a enable row level security; create policy p on a using (true);",
        ),
        (
            "policies/b.sql",
            "alter table b enable row level security; create policy p on b using (c);",
        ),
    ]);
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("nothing was applied") && error.contains("policies/b.sql"),
        "{error}"
    );
    assert!(!exists(&client, "a").await && versions(&client).await.is_empty());
    project.write("policies/b.sql", "alter table b enable row level security;");
    assert_eq!(
        names(&project.run(&mut client).await),
        ["V1__a.sql", "a.sql", "b.sql"]
    );
}
