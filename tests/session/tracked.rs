//! pg_stat_statements keeps a bounded number of statements: tenants must not push the application's own out of it.

use rls_tool::ephemeral::Server;
use rls_tool::{TenantId, TenantPool};
use tokio_postgres::Client;

use crate::support::{connect, run};

const TENANTS: usize = 25;

/// How many statements with the tenant's setting in them are remembered.
async fn entries(admin: &Client) -> i64 {
    let sql = "select count(*) from pg_stat_statements where query ilike '%current_tenant%' and query not ilike '%pg_stat_%'";
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_fill_pg_stat_statements() {
    // Of its own, because the library is loaded when a server starts.
    let server = Server::builder()
        .version(
            std::env::var("RLS_TEST_PG_VERSION")
                .ok()
                .map(|text| text.parse().unwrap()),
        )
        .config("shared_preload_libraries", "pg_stat_statements")
        .start()
        .await
        .unwrap();
    let admin = connect(&server.options()).await;
    run(
        &admin,
        "create extension pg_stat_statements; create role app login",
    )
    .await;
    let options = server.options().as_role("app", None);
    let pool = TenantPool::builder()
        .options(options.clone())
        .max_size(2)
        .build()
        .await
        .unwrap();
    run(&admin, "select pg_stat_statements_reset()").await;
    for _ in 0..TENANTS {
        pool.tenant(&TenantId::generate())
            .query("select 1", &[])
            .await
            .unwrap();
    }
    let kept = entries(&admin).await;
    assert!(kept <= 1, "{kept} entries for {TENANTS} tenants");

    // The twin: SET LOCAL, which is what the binding is where nothing keeps statements, has an entry for each tenant.
    // From PostgreSQL 18 on it has one.
    let client = connect(&options).await;
    for _ in 0..TENANTS {
        let tenant = TenantId::generate();
        run(
            &client,
            &format!("begin; set local app.current_tenant = '{tenant}'; commit"),
        )
        .await;
    }
    let kept = entries(&admin).await;
    let version: i32 = admin
        .query_one("select current_setting('server_version_num')::int", &[])
        .await
        .unwrap()
        .get(0);
    if version < 180_000 {
        assert!(kept >= i64::try_from(TENANTS).unwrap(), "{kept} entries");
    } else {
        assert!(kept <= 2, "{kept} entries");
    }
    server.stop().await;
}
