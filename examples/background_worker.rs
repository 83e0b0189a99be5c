//! A background worker over the reference schema: housekeeping across tenants with a role and a reason of its own, and
//! then a job for each tenant, bound to it.
//!
//! ```console
//! $ psql -c 'create role worker login' -c 'grant app_maintenance to worker'
//! $ MAINTENANCE_URL=postgres://worker@localhost/shop DATABASE_URL=postgres://app_user@localhost/shop \
//!     cargo run --example background_worker -- ten_01h455vb4pex5vsknk084sn02q
//! ```

use rls_tool::session::{CrossTenantPool, Retry};
use rls_tool::{Error, TenantId, TenantPool};
use tokio_postgres::IsolationLevel;

/// Deletes what has expired, of every tenant. The policies of app_maintenance show it no more than ids and times.
pub(crate) async fn purge(maintenance: &CrossTenantPool) -> Result<i64, Error> {
    let scope = maintenance.because("background worker: purge of what has expired")?;
    let sql = "select app.purge_expired_logins() + app.purge_response_caches() + app.purge_rate_limits()";
    Ok(scope.query_one(sql, &[]).await?.get(0))
}

/// Revokes the keys that a tenant has not used for the given number of days. Tried again where another transaction was
/// in the way.
pub(crate) async fn revoke_unused_keys(pool: &TenantPool, tenant: TenantId, days: i32) -> Result<u64, Error> {
    let scope = pool.tenant(&tenant).isolation(IsolationLevel::Serializable);
    scope
        .run(|tx| {
            Box::pin(async move {
                let sql = "select id from app.api_keys \
                           where revoked_at is null and coalesce(last_used_at, created_at) < now() - make_interval(days => $1)";
                let mut revoked = 0;
                for row in tx.query(sql, &[&days]).await? {
                    let id: String = row.get("id");
                    let sql = "update app.api_keys set revoked_at = now() where id = $1";
                    revoked += tx.execute(sql, &[&id]).await?;
                }
                Ok(revoked)
            })
        })
        .await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let worker = TenantPool::builder()
        .url(std::env::var("MAINTENANCE_URL")?)
        .max_size(1);
    let maintenance = CrossTenantPool::builder(worker)
        .role("app_maintenance")
        .build()
        .await?;
    let pool = TenantPool::builder()
        .url(std::env::var("DATABASE_URL")?)
        .max_size(2)
        .retry(Retry::attempts(10))
        .build()
        .await?;

    let purged = purge(&maintenance).await?;
    tracing::info!(purged, "expired rows");
    for argument in std::env::args().skip(1) {
        let tenant: TenantId = argument.parse()?;
        let revoked = revoke_unused_keys(&pool, tenant, 90).await?;
        tracing::info!(%tenant, revoked, "unused keys");
    }
    Ok(())
}
