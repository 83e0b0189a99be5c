//! Citus, where the binding must reach the workers. Needs a cluster with at least one worker, as
//! `RLS_TEST_CITUS_URL=postgres://owner@coordinator/db`, whose owner may create roles:
//! `cargo test --test session -- --ignored citus`.

use rls_tool::TenantPool;
use rls_tool::connect::ConnectOptions;
use rls_tool::session::Engine;

use crate::shop::texts;
use crate::support::{connect, run};

const ITEMS: &str = "select note from rls_tool_items order by note";

#[tokio::test]
#[ignore = "needs a Citus cluster in RLS_TEST_CITUS_URL"]
async fn citus_workers_see_the_binding() {
    let url = std::env::var("RLS_TEST_CITUS_URL").expect("RLS_TEST_CITUS_URL names a Citus coordinator");
    let options = ConnectOptions::resolve(Some(&url)).unwrap();
    let owner = connect(&options).await;
    run(
        &owner,
        "drop table if exists rls_tool_items;
         do $$ begin create role rls_tool_citus login; exception when duplicate_object then null; end $$;
         create table rls_tool_items (tenant_id text not null, note text);",
    )
    .await;
    run(
        &owner,
        "select create_distributed_table('rls_tool_items', 'tenant_id')",
    )
    .await;
    run(
        &owner,
        "insert into rls_tool_items select t, t || g from unnest(array['a', 'b', 'c']) t, generate_series(1, 2) g;
         alter table rls_tool_items enable row level security, force row level security;
         create policy own on rls_tool_items using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
         grant all on rls_tool_items to rls_tool_citus;",
    )
    .await;
    let pool = TenantPool::builder()
        .options(options.as_role("rls_tool_citus", None))
        .max_size(2)
        .build()
        .await
        .unwrap();
    assert_eq!(pool.engine(), Engine::Citus);

    for tenant in ["a", "b", "a"] {
        let expected = [format!("{tenant}1"), format!("{tenant}2")];
        let rows = pool.tenant(tenant).query(ITEMS, &[]).await.unwrap();
        assert_eq!(texts(&rows), expected);
        let mut tx = pool.tenant(tenant).begin().await.unwrap();
        for commit in [true, false] {
            let nested = tx.savepoint().await.unwrap();
            assert_eq!(texts(&nested.query(ITEMS, &[]).await.unwrap()), expected);
            if commit {
                nested.commit().await.unwrap();
            } else {
                nested.rollback().await.unwrap();
            }
            assert_eq!(texts(&tx.query(ITEMS, &[]).await.unwrap()), expected);
        }
        let changed = tx
            .execute("update rls_tool_items set note = note", &[])
            .await
            .unwrap();
        assert_eq!(changed, 2);
    }
    // Twin: what binds on plain PostgreSQL does not reach the workers.
    let plain = TenantPool::builder()
        .options(options.as_role("rls_tool_citus", None))
        .engine(Engine::Postgres)
        .build()
        .await
        .unwrap();
    assert!(plain.tenant("a").query(ITEMS, &[]).await.unwrap().is_empty());
    run(&owner, "drop table rls_tool_items").await;
}
