//! The isolation tests of a crate that uses the reference schema, as it is or with migrations of its own on top.

use rls_tool::TenantPool;
use rls_tool::testing::{self, Postgres};

const ROLE: &str = "app_user";

async fn platform() -> anyhow::Result<Postgres> {
    let db = Postgres::builder().role(ROLE).start().await?;
    db.migrate_reference().await?;
    // In a crate of your own, with the files that `rls-tool init` wrote or your own: db.migrate("migrations", "policies")
    Ok(db)
}

#[tokio::test]
async fn tenants_are_isolated() -> anyhow::Result<()> {
    let db = platform().await?;
    let report = testing::audit(&db).run().await?;
    testing::assert_isolated(&report);
    testing::assert_every_door_decided(&report);
    Ok(())
}

#[tokio::test]
async fn every_table_belongs_to_tenants() -> anyhow::Result<()> {
    testing::assert_no_table_left_uncategorised(&platform().await?, &[]).await;
    Ok(())
}

/// The application's own pool, as it is in production.
#[tokio::test]
async fn a_process_is_seen_by_its_tenant_only() -> anyhow::Result<()> {
    let db = platform().await?;
    let [a, b] = db.tenants().await?;
    let pool = TenantPool::builder()
        .options(db.options_as(ROLE).await?)
        .build()
        .await?;
    let insert = "insert into app.processes (name) values ('nightly') returning id";
    let id: String = pool.tenant(&a).query_one(insert, &[]).await?.get(0);
    let find = "select count(*) from app.processes where id = $1";
    let seen = async |tenant| {
        pool.tenant(tenant)
            .query_one(find, &[&id])
            .await
            .map(|row| row.get::<_, i64>(0))
    };
    assert_eq!((seen(&a).await?, seen(&b).await?), (1, 0));
    db.as_tenant(&b).await?.sees_only("app.processes").await;
    Ok(())
}
