//! Two tenants with one row in every table: made as the application makes them, so that this is the positive control.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use crate::support::{Database, run};
use crate::tables::{TABLES, Table};

/// A tenant's rows: the id of each, by table.
pub(crate) struct Tenant(BTreeMap<&'static str, String>);

impl Tenant {
    fn new() -> Self {
        Self(
            TABLES
                .iter()
                .map(|table| (table.name, (table.new_id)()))
                .collect(),
        )
    }

    /// The tenant's own id.
    pub(crate) fn id(&self) -> &str {
        self.row("tenants")
    }

    /// The id of its row in `table`.
    pub(crate) fn row(&self, table: &str) -> &str {
        &self.0[table]
    }

    /// `INSERT` of a row with this id that says it belongs to `self` and refers to rows of `parents`.
    pub(crate) fn insert(&self, table: &Table, id: &str, unique: &str, parents: &Self) -> String {
        let mut values = table
            .values
            .replace("{tenant}", if table.name == "tenants" { id } else { self.id() })
            .replace("{id}", id)
            .replace("{unique}", unique);
        for (parent, row) in &parents.0 {
            values = values.replace(&format!("{{{parent}}}"), row);
        }
        format!(
            "insert into app.{} ({}) values ({values})",
            table.name, table.columns
        )
    }
}

/// A migrated database with tenants `a` and `b`.
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) a: Tenant,
    pub(crate) b: Tenant,
    /// Sets up and sabotages; never attacks.
    pub(crate) admin: Client,
    /// The application's own connection.
    pub(crate) app: Client,
}

impl World {
    pub(crate) async fn new(hint: &str) -> Self {
        let db = Database::migrated(hint).await;
        let (admin, app) = (db.admin().await, db.client_as("app_user").await);
        let world = Self {
            a: Tenant::new(),
            b: Tenant::new(),
            db,
            admin,
            app,
        };
        // The same names, e-mail addresses and hashes in both: whatever is unique is unique per tenant.
        for tenant in [&world.a, &world.b] {
            world.bind(tenant.id()).await;
            for table in TABLES {
                run(
                    &world.app,
                    &tenant.insert(table, tenant.row(table.name), "same", tenant),
                )
                .await;
            }
            run(&world.app, "commit").await;
        }
        world
    }

    /// Begins a transaction of the application, bound to this tenant.
    pub(crate) async fn bind(&self, tenant: &str) {
        run(&self.app, "begin").await;
        let sql = "select set_config('app.current_tenant', $1, true)";
        self.app.query_one(sql, &[&tenant]).await.unwrap();
    }

    /// One value that the administrator sees.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Applies a table's policy file again: the wanted state, whatever was done to it.
    pub(crate) async fn restore(&self, table: &str) {
        let path = format!("{}/policies/{table}.sql", env!("CARGO_MANIFEST_DIR"));
        run(&self.admin, &std::fs::read_to_string(path).unwrap()).await;
    }
}
