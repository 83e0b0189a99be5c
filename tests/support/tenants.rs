//! A database of two tenants `a` and `b` with three rows each, and a login role of its own that row security holds.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each target uses a part of this"
)]

use tokio_postgres::{Client, NoTls};

use crate::support::{Database, run};

/// Whose rows are seen.
pub const SEEN: &str = "select distinct tenant_id from shop.items order by tenant_id";

/// The database.
#[derive(Debug)]
pub struct World {
    pub db: Database,
    pub admin: Client,
    pub role: String,
}

impl World {
    pub async fn new(hint: &str) -> Self {
        let db = Database::create(hint).await;
        let admin = db.admin().await;
        // Roles belong to the cluster, which other tests use too.
        let sql = "select current_database() || '_app'";
        let role: String = admin.query_one(sql, &[]).await.unwrap().get(0);
        run(&admin, &include_str!("tenants.sql").replace("{role}", &role)).await;
        Self { db, admin, role }
    }

    /// Where the application connects: the server itself, or what listens before it.
    pub fn url(&self, port: u16) -> String {
        self.db.url_through(port, &self.role) + "?sslmode=disable"
    }

    /// A client of the application that knows nothing of tenants.
    pub async fn raw(&self, port: u16) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(port), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// The tenants whose rows the client sees outside any transaction.
    pub async fn seen(client: &Client) -> Vec<String> {
        let rows = client.query_typed(SEEN, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// A number that the administrator sees.
    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }
}
