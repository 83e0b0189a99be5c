//! The little database that the session tests run on: two tenants, one table with row security, one without.

use rls_tool::session::SessionConfig;
use rls_tool::{TenantId, TenantPool};
use tokio_postgres::Client;

use crate::support::{Database, run};

/// A database with the reference schema and two tenants that have processes.
pub(crate) struct Shop {
    pub(crate) database: Database,
    pub(crate) a: TenantId,
    pub(crate) b: TenantId,
}

impl Shop {
    /// Tenant A has the processes `a1` and `a2`, tenant B has `b1`. `public.notes` has no row security.
    pub(crate) async fn open(hint: &str) -> Self {
        let database = Database::migrated(hint).await;
        let (a, b) = (TenantId::generate(), TenantId::generate());
        let admin = database.admin().await;
        run(
            &admin,
            &format!(
                "insert into app.tenants (id, name, slug) values ('{a}', 'A', 'a'), ('{b}', 'B', 'b');
                 insert into app.processes (tenant_id, name) values ('{a}', 'a1'), ('{a}', 'a2'), ('{b}', 'b1');
                 create table public.notes (id int primary key, note text);
                 grant all on public.notes to app_user;"
            ),
        )
        .await;
        Self { database, a, b }
    }

    /// A pool of the application's role with this many connections.
    pub(crate) async fn pool(&self, size: usize) -> TenantPool {
        self.pool_with(size, SessionConfig::new()).await
    }

    /// A pool with options of its own.
    pub(crate) async fn pool_with(&self, size: usize, config: SessionConfig) -> TenantPool {
        let options = self.database.options().as_role("app_user", None);
        let built = TenantPool::builder()
            .options(options)
            .max_size(size)
            .config(config)
            .build()
            .await;
        match built {
            Ok(pool) => pool,
            Err(error) => panic!("{}", error.chain()),
        }
    }

    /// A raw client of the application's role: what the twins use.
    pub(crate) async fn raw(&self) -> Client {
        self.database.client_as("app_user").await
    }
}

/// The names of the processes that a tenant sees.
pub(crate) const NAMES: &str = "select name from app.processes order by name";

/// The first column of every row, as text.
pub(crate) fn texts(rows: &[tokio_postgres::Row]) -> Vec<String> {
    rows.iter().map(|row| row.get(0)).collect()
}
