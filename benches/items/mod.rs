//! What two benchmarks measure on: a throwaway server with one table of 1M rows and 1000 tenants, `bench.items`, a role
//! with row security (`bench_app`) and one without (`bench_plain`). `RLS_TEST_PG_VERSION` chooses the major version.

use rls_tool::ephemeral::Server;
use tokio_postgres::Client;

/// The server, and the connection of a superuser.
pub(crate) async fn start() -> (Server, Client) {
    let version = std::env::var("RLS_TEST_PG_VERSION").ok();
    let server = Server::builder()
        .version(version.map(|text| text.parse().unwrap()))
        .config("shared_buffers", "1GB")
        .config("max_parallel_workers_per_gather", "0")
        .config("jit", "off")
        .config("autovacuum", "off")
        .start()
        .await
        .unwrap();
    let admin = server.options().connect().await.unwrap();
    admin.batch_execute(include_str!("items.sql")).await.unwrap();
    // VACUUM cannot run among other statements: visibility map and statistics must stand before anything is measured.
    admin.batch_execute("vacuum analyze bench.items").await.unwrap();
    (server, admin)
}
