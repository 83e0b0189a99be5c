//! Ten runs started at once: all succeed, and each file is applied once.

use std::process::Stdio;

use futures_util::future::join_all;

use crate::project::{Project, names, value, versions};
use crate::support::Database;
use crate::tool::{command, read};

/// Each file leaves a row every time it runs.
fn project() -> Project {
    Project::new(&[
        (
            "migrations/V1__ran.sql",
            "create table ran (file text); insert into ran values ('V1');",
        ),
        // Long enough for every other run to be there.
        (
            "migrations/V2__slow.sql",
            "select pg_sleep(0.3); insert into ran values ('V2');",
        ),
        ("migrations/V3__more.sql", "insert into ran values ('V3');"),
        (
            "policies/ran.sql",
            "alter table ran enable row level security; insert into ran values ('policies');",
        ),
    ])
}

const RAN: &str = "select string_agg(file, ',' order by file) from ran";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_runs_of_the_library() {
    let database = Database::create("parallel").await;
    let (project, mut clients) = (project(), Vec::new());
    for _ in 0..10 {
        clients.push(database.admin().await);
    }
    let reports = join_all(clients.iter_mut().map(|client| project.run(client))).await;
    let applied: Vec<_> = reports
        .iter()
        .map(names)
        .filter(|names| !names.is_empty())
        .collect();
    assert_eq!(
        applied,
        [["V1__ran.sql", "V2__slow.sql", "V3__more.sql", "ran.sql"]]
    );
    let admin = database.admin().await;
    assert_eq!(value(&admin, RAN).await, "V1,V2,V3,policies");
    assert_eq!(versions(&admin).await, "1,2,3");
}

#[tokio::test]
async fn ten_runs_of_the_program() {
    let database = Database::create("parallel").await;
    let (project, url) = (project(), database.url());
    let started: Vec<_> = (0..10)
        .map(|_| {
            command(&project.path(""), &["migrate", "--database-url", &url])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut outputs = Vec::new();
    for child in started {
        let (code, out, err) = read(&child.wait_with_output().unwrap());
        assert_eq!(code, 0, "{err}");
        outputs.push(out);
    }
    outputs.sort();
    assert_eq!(outputs[1..], vec!["nothing to do\n"; 9], "{outputs:?}");
    assert!(
        outputs[0].ends_with("3 migrations, 1 policy files\n"),
        "{}",
        outputs[0]
    );
    assert_eq!(value(&database.admin().await, RAN).await, "V1,V2,V3,policies");
}

/// A file outside a transaction divides the run: the lock must hold over the gap, and `CREATE INDEX CONCURRENTLY` must
/// not wait for the runs that wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_runs_with_a_file_outside_a_transaction() {
    let database = Database::create("parallel").await;
    let project = project();
    project.write(
        "migrations/V4__index.sql",
        "-- rls-tool: no-transaction\ncreate index concurrently ran_file on ran (file);\ninsert into ran values ('V4');",
    );
    project.write("migrations/V5__last.sql", "insert into ran values ('V5');");
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(database.admin().await);
    }
    join_all(clients.iter_mut().map(|client| project.run(client))).await;
    let admin = database.admin().await;
    assert_eq!(value(&admin, RAN).await, "V1,V2,V3,V4,V5,policies");
    let locks = "select count(*) from pg_locks where locktype = 'advisory'
                 and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(value(&admin, locks).await, "0", "every lock was given back");
}

/// The twin: Refinery alone, without the lock, fails or applies twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_lock_runs_collide() {
    let database = Database::create("parallel").await;
    let migrations = [refinery_core::Migration::unapplied(
        "V1__ran",
        "create table ran (file text); select pg_sleep(0.3)",
    )
    .unwrap()];
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(database.admin().await);
    }
    let runs = clients.iter_mut().map(|client| async {
        let runner = refinery_core::Runner::new(&migrations);
        runner.run_async(client).await.is_ok()
    });
    let succeeded = join_all(runs).await.into_iter().filter(|ok| *ok).count();
    assert!(succeeded < 10, "then the lock would not be needed");
}
