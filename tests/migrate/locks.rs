//! Waiting for others: another run, and sessions that use a table.

use std::time::{Duration, Instant};

use rls_tool::ErrorKind;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::project::{Project, exists, names, text, value, versions};
use crate::support::{Database, run};
use crate::tool::failure;

/// What a run locks: "rls-tool" in ASCII, as `src/migrate/lock.rs` says.
const LOCK: &str = "select pg_advisory_lock(('x' || encode('rls-tool', 'hex'))::bit(64)::bigint)";
const UNLOCK: &str = "select pg_advisory_unlock(('x' || encode('rls-tool', 'hex'))::bit(64)::bigint)";

const SHORT: Duration = Duration::from_millis(300);

fn project() -> Project {
    Project::new(&[("migrations/V1__t.sql", "create table t ();")])
}

#[tokio::test]
async fn another_run_is_waited_for_and_not_longer_than_said() {
    let database = Database::create("locks").await;
    let (project, holder, mut client) = (project(), database.admin().await, database.admin().await);
    run(&holder, LOCK).await;

    let started = Instant::now();
    let error = project
        .migrator()
        .lock_timeout(SHORT)
        .run(&mut client)
        .await
        .unwrap_err();
    assert!(started.elapsed() >= SHORT && started.elapsed() < Duration::from_secs(5));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        text(&error).contains("did not end within 300ms") && text(&error).contains("--lock-timeout"),
        "{}",
        text(&error)
    );
    let said = failure(
        &project.path(""),
        &[
            "migrate",
            "--lock-timeout",
            "300ms",
            "--database-url",
            &database.url(),
        ],
    );
    assert!(said.contains("another migration run of this database"), "{said}");
    assert!(!exists(&client, "t").await);

    // Status waits for nobody, and another database has a lock of its own.
    assert_eq!(project.status(&mut client).await.pending(), 1);
    let other = Database::create("locks").await;
    assert_eq!(names(&project.run(&mut other.admin().await).await), ["V1__t.sql"]);

    // The twin: it ends in time, and the run that waited goes on.
    let release = async {
        sleep(SHORT).await;
        run(&holder, UNLOCK).await;
    };
    let (report, ()) = tokio::join!(project.run(&mut client), release);
    assert_eq!(names(&report), ["V1__t.sql"]);
}

/// A session that reads `t` and stays in its transaction.
async fn reader(database: &Database) -> Client {
    let reader = database.admin().await;
    run(&reader, "begin; select from t").await;
    reader
}

#[tokio::test]
async fn a_table_in_use_stops_the_run_and_blocks_nobody_for_long() {
    let database = Database::create("locks").await;
    let (project, mut client) = (project(), database.admin().await);
    project.run(&mut client).await;
    project.write("migrations/V2__u.sql", "create table u ();");
    project.write("migrations/V3__t.sql", "alter table t add column x int;");
    let reader = reader(&database).await;

    let error = project
        .migrator()
        .lock_timeout(SHORT)
        .run(&mut client)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error = text(&error);
    assert!(
        error.contains("V3__t.sql") && error.contains("canceling statement due to lock timeout"),
        "{error}"
    );
    assert!(error.contains("longer --lock-timeout"), "{error}");
    assert_eq!(versions(&client).await, "1", "V2 is rolled back too");
    let said = failure(
        &project.path(""),
        &[
            "migrate",
            "--lock-timeout",
            "300",
            "--database-url",
            &database.url(),
        ],
    );
    assert!(said.contains("lock timeout"), "{said}");

    // The twin: without the limit it waits, and every later reader of the table queues up behind it.
    let unlimited = project.migrator().lock_timeout(Duration::ZERO);
    let waits = async {
        let waiting = unlimited.run(&mut client);
        let queue = async {
            sleep(SHORT).await;
            let late = database.admin().await;
            let blocked = timeout(SHORT, late.batch_execute("select from t")).await;
            assert!(blocked.is_err(), "a reader is blocked by the waiting migration");
            run(&reader, "rollback").await;
        };
        tokio::join!(waiting, queue).0
    };
    assert_eq!(names(&waits.await.unwrap()), ["V2__u.sql", "V3__t.sql"]);
}

/// The limits are the run's own: neither the caller's time limits cut a file off, nor do the run's stay behind.
#[tokio::test]
async fn time_limits_are_the_runs_own_and_end_with_it() {
    let database = Database::create("locks").await;
    let mut client = database.admin().await;
    run(
        &client,
        "set statement_timeout = '50ms'; set lock_timeout = '7s'; set idle_in_transaction_session_timeout = '90s'",
    )
    .await;
    let project = Project::new(&[(
        "migrations/V1__slow.sql",
        "select pg_sleep(0.2);\ncreate table limits as select current_setting('lock_timeout') as lock;",
    )]);
    project.run(&mut client).await;
    assert_eq!(value(&client, "select lock from limits").await, "10s");
    for (name, kept) in [
        ("statement_timeout", "50ms"),
        ("lock_timeout", "7s"),
        ("idle_in_transaction_session_timeout", "90s"),
    ] {
        assert_eq!(value(&client, &format!("current_setting('{name}')")).await, kept);
    }
}
