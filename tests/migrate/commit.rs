//! The connection is lost around COMMIT: before the server has it, and while the server is at it. The error must not claim
//! what it cannot know, and running again ends well in both.

use std::time::Duration;

use rls_tool::ErrorKind;
use rls_tool::connect::ConnectOptions;
use tokio_postgres::Client;

use crate::project::{Project, text, value, versions};
use crate::proxy::{Proxy, Way};
use crate::support::{Database, connect, run};

const RAN: &str = "select string_agg(file, ',' order by file) from ran";

/// Its first file makes COMMIT wait for the advisory lock 43: a deferred trigger asks for it.
fn project() -> Project {
    Project::new(&[
        (
            "migrations/V1__ran.sql",
            "create table ran (file text); insert into ran values ('V1');
             create function waits() returns trigger language plpgsql as $$
                 begin perform pg_advisory_xact_lock(43); return null; end $$;
             create constraint trigger waits after insert on ran deferrable initially deferred
                 for each row execute function waits();",
        ),
        ("migrations/V2__more.sql", "insert into ran values ('V2');"),
    ])
}

async fn through(database: &Database, proxy: &Proxy) -> Client {
    // The database is made when somebody connects, which the proxy would not see.
    database.admin().await;
    let url = database.url_through(proxy.port(), "postgres");
    connect(&ConnectOptions::resolve(Some(&url)).unwrap()).await
}

#[tokio::test]
async fn a_commit_that_the_server_never_had_is_in_doubt_and_did_not_happen() {
    // How many messages a run takes, COMMIT the last.
    let database = Database::create("commit").await;
    let proxy = Proxy::start(database.port());
    let mut client = through(&database, &proxy).await;
    proxy.take_tags();
    project().run(&mut client).await;
    let messages = proxy.take_tags().len();

    let database = Database::create("commit").await;
    let project = project();
    let mut client = through(&database, &proxy).await;
    proxy.cut_after(Way::Request, messages - 1);
    let error = project.try_run(&mut client).await.unwrap_err();
    assert_eq!((error.kind(), proxy.cuts()), (ErrorKind::Closed, 1));
    let told = text(&error);
    assert!(
        told.contains("it is not known whether this was applied: ") && told.contains("failed to commit"),
        "{told}"
    );
    assert!(told.contains("running again is safe"), "{told}");
    let admin = database.admin().await;
    assert_eq!(versions(&admin).await, "");
    project.run(&mut database.admin().await).await;
    assert_eq!(value(&admin, RAN).await, "V1,V2");
}

#[tokio::test]
async fn a_commit_that_the_server_finishes_alone_is_in_doubt_and_did_happen() {
    let database = Database::create("commit").await;
    let (project, admin) = (project(), database.admin().await);
    let proxy = Proxy::start(database.port());
    let mut client = through(&database, &proxy).await;
    run(&admin, "select pg_advisory_lock(43)").await;
    let (result, ()) = tokio::join!(project.try_run(&mut client), async {
        let waiting =
            "select count(*) from pg_locks where locktype = 'advisory' and objid = 43 and not granted
             and database = (select oid from pg_database where datname = current_database())";
        while value(&admin, waiting).await == "0" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.cut_all();
    });
    let told = text(&result.unwrap_err());
    assert!(
        told.contains("it is not known whether this was applied: ") && told.contains("migrate status"),
        "{told}"
    );
    run(&admin, "select pg_advisory_unlock(43)").await;
    // A run waits for the one that the server is still at, and finds nothing left to do.
    let report = project.run(&mut database.admin().await).await;
    assert!(report.is_empty(), "{report:?}");
    assert_eq!(
        (versions(&admin).await, value(&admin, RAN).await),
        ("1,2".to_owned(), "V1,V2".to_owned())
    );
}
