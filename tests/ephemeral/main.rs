//! Throwaway servers: they start, they are apart from each other, and nothing of them stays.
//!
//! Fetched builds and containers need a registry or a Docker daemon: `tests/ephemeral_fetch.rs`, `tests/ephemeral_docker.rs`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod cleaning;
mod owner;
mod sources;
#[path = "../support/mod.rs"]
mod support;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use owner::start_here;
use rls_tool::ErrorKind;
use rls_tool::ephemeral::Server;
use support::{Database, connect, run};

#[tokio::test]
async fn a_server_starts_and_answers_as_superuser() {
    let server = support::server().await;
    let client = connect(&server.options()).await;
    let sql = "select current_user::text, current_setting('server_version_num')::int / 10000";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "postgres");
    assert_eq!(u32::try_from(row.get::<_, i32>(1)).unwrap(), server.version());
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, two) = (Database::create("apart").await, Database::create("apart").await);
    run(&one.admin().await, "create table t ()").await;
    let sql = "select from pg_class where relname = 't'";
    assert!(one.admin().await.query_opt(sql, &[]).await.unwrap().is_some());
    assert!(two.admin().await.query_opt(sql, &[]).await.unwrap().is_none());
}

#[tokio::test]
async fn four_start_in_parallel() {
    let starts = (0..4).map(|_| start_here(Server::builder()));
    let servers = futures_util::future::try_join_all(starts).await.unwrap();
    let mut urls: Vec<_> = servers.iter().map(Server::url).collect();
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), 4);
    for server in &servers {
        // Each URL leads to the server that it was given for.
        let client = connect(&server.url().parse().unwrap()).await;
        run(&client, "create table only_here ()").await;
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn settings_are_taken_as_they_are() {
    let odd = r"it's a \ test";
    let builder = Server::builder()
        .config("max_connections", "37")
        .config("cluster_name", odd);
    let server = start_here(builder).await.unwrap();
    let client = connect(&server.options()).await;
    let sql = "select current_setting('max_connections'), current_setting('cluster_name')";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("37", odd));
}

#[tokio::test]
async fn a_setting_cannot_smuggle_in_another() {
    for (key, value) in [
        ("work_mem = 1\nfsync", "on"),
        ("", "x"),
        ("work_mem", "1'\nfsync = 'on"),
    ] {
        let error = Server::builder().config(key, value).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
    }
}

#[tokio::test]
async fn a_setting_that_postgresql_refuses_is_quoted_in_the_error() {
    let error = start_here(Server::builder().config("work_mem", "banana"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.chain().contains("banana"), "{}", error.chain());
}

/// Nothing listens beyond this machine, and as root the server steps down.
#[tokio::test]
async fn postgresql_listens_on_127_0_0_1_alone_and_never_runs_as_root() {
    let server = start_here(Server::builder()).await.unwrap();
    let client = connect(&server.options()).await;
    let sql = "select current_setting('listen_addresses'), current_setting('unix_socket_directories'), \
               current_setting('data_directory')";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("127.0.0.1", ""));
    let file = Path::new(row.get::<_, &str>(2)).join("postmaster.pid");
    assert_ne!(std::fs::metadata(file).unwrap().uid(), 0);
}

#[tokio::test]
async fn a_migrated_database_has_the_schema_and_the_application_role() {
    let (one, two) = tokio::join!(Database::migrated("clone"), Database::migrated("clone"));
    for database in [one, two] {
        let app = database.client_as("app_user").await;
        let row = app
            .query_one("select count(*), current_user::text from app.tenants", &[])
            .await
            .unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, &str>(1)), (0, "app_user"));
    }
}
