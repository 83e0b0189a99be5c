//! Throwaway servers: they start, they are really apart, and nothing of them stays.

mod support;

use rls_tool::ephemeral::Server;
use support::{Database, connect, run};

#[tokio::test]
async fn a_server_starts_and_answers_as_superuser() {
    let server = support::server().await;
    let client = connect(&server.options()).await;
    let row = client
        .query_one(
            "select current_user::text, current_setting('server_version_num')::int / 10000",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "postgres");
    assert_eq!(u32::try_from(row.get::<_, i32>(1)).unwrap(), server.version());
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, two) = (Database::create("apart").await, Database::create("apart").await);
    run(&one.admin().await, "create table t ()").await;
    let found = two
        .admin()
        .await
        .query_opt("select from pg_class where relname = 't'", &[])
        .await;
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn four_start_in_parallel() {
    let starts = (0..4).map(|_| Server::start());
    let servers = futures_util::future::try_join_all(starts).await.unwrap();
    let mut urls: Vec<_> = servers.iter().map(Server::url).collect();
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), 4);
    for server in servers {
        server.stop().await;
    }
}
