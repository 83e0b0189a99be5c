//! What the soak is run against: the pool of tenant sessions, and the wrapper that many programs have instead.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each target uses a part of this"
)]

use std::sync::Arc;
use std::time::Duration;

use rls_tool::session::TenantPool;
use tokio::sync::Mutex;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

use crate::pooler::PgBouncer;
use crate::proxy::Proxy;
use crate::soak::{self, Outcome, Plan, READ, Seen, Subject, WRITE};
use crate::tenants::World;

/// Fewer connections than tasks, so that every connection serves every tenant.
const CONNECTIONS: usize = 6;

/// So many tasks for so long.
pub fn plan(time: Duration) -> Plan {
    Plan {
        time,
        tenants: 4,
        tasks: 4,
        pause_between_faults: Duration::from_millis(40),
    }
}

/// Sessions straight to the server.
pub async fn direct(plan: Plan) -> Outcome {
    let world = World::new("soak").await;
    let proxy = Proxy::start(world.db.port());
    let pool = sessions(&world, proxy.port()).await;
    soak::run(&world, pool, &proxy, plan).await
}

/// Sessions through PgBouncer with so many connections to the server; faults on both sides of it.
pub async fn pooled(plan: Plan, size: usize) -> Outcome {
    let world = World::new("soak_pooled").await;
    let pooler = PgBouncer::start(world.db.port(), &world.role, size);
    let proxy = Proxy::start(pooler.port());
    let pool = sessions(&world, proxy.port()).await;
    soak::run(&world, pool, &proxy, plan).await
}

/// The naive wrapper straight to the server: connections are shared, as tokio-postgres allows.
pub async fn naive_direct(plan: Plan) -> Outcome {
    let world = World::new("soak_naive").await;
    let proxy = Proxy::start(world.db.port());
    let naive = Naive::new(&world.url(proxy.port()), CONNECTIONS);
    soak::run(&world, naive, &proxy, plan).await
}

/// The naive wrapper through PgBouncer, where even a connection for each task is a shared one.
pub async fn naive_pooled(plan: Plan, size: usize) -> Outcome {
    let world = World::new("soak_naive").await;
    let pooler = PgBouncer::start(world.db.port(), &world.role, size);
    let proxy = Proxy::start(pooler.port());
    let naive = Naive::new(&world.url(proxy.port()), plan.tenants * plan.tasks);
    soak::run(&world, naive, &proxy, plan).await
}

async fn sessions(world: &World, port: u16) -> TenantPool {
    TenantPool::builder()
        .url(world.url(port))
        .max_size(CONNECTIONS)
        .build()
        .await
        .unwrap()
}

impl Subject for TenantPool {
    async fn read(&self, tenant: &str, number: i64) -> Option<Vec<Seen>> {
        let rows = self.tenant(tenant).query(READ, &[&number]).await.ok()?;
        Some(rows.iter().map(Seen::from).collect())
    }

    async fn write(&self, tenant: &str, id: &str) -> bool {
        self.tenant(tenant).execute(WRITE, &[&id]).await.is_ok()
    }

    async fn both(&self, tenant: &str, id: &str, number: i64) -> (Option<Vec<Seen>>, bool) {
        let outcome = async {
            let tx = self.tenant(tenant).begin().await?;
            let mut rows = tx.query(READ, &[&number]).await?;
            tx.execute(WRITE, &[&id]).await?;
            rows.extend(tx.query(READ, &[&number]).await?);
            tx.commit().await?;
            Ok::<_, rls_tool::Error>(rows)
        };
        match outcome.await {
            Ok(rows) => (Some(rows.iter().map(Seen::from).collect()), true),
            Err(_) => (None, false),
        }
    }
}

/// Sets the tenant for the whole session and then runs the statement: right as long as nobody comes in between.
#[derive(Debug)]
pub struct Naive {
    url: String,
    clients: Vec<Mutex<Option<Arc<Client>>>>,
    next: std::sync::atomic::AtomicUsize,
}

impl Naive {
    fn new(url: &str, size: usize) -> Self {
        Self {
            url: url.to_owned(),
            clients: (0..size).map(|_| Mutex::new(None)).collect(),
            next: 0.into(),
        }
    }

    async fn bound(&self, tenant: &str) -> Option<Arc<Client>> {
        let next = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let client = {
            let mut place = self.clients[next % self.clients.len()].lock().await;
            if place.as_ref().is_none_or(|client| client.is_closed()) {
                let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.ok()?;
                tokio::spawn(connection);
                *place = Some(Arc::new(client));
            }
            place.clone()?
        };
        let sql = format!("set app.current_tenant = '{tenant}'");
        client.batch_execute(&sql).await.ok()?;
        Some(client)
    }
}

impl Subject for Naive {
    async fn read(&self, tenant: &str, number: i64) -> Option<Vec<Seen>> {
        let client = self.bound(tenant).await?;
        let rows = client.query_typed(READ, &[(&number, Type::INT8)]).await.ok()?;
        Some(rows.iter().map(Seen::from).collect())
    }

    async fn write(&self, tenant: &str, id: &str) -> bool {
        let Some(client) = self.bound(tenant).await else {
            return false;
        };
        client.execute_typed(WRITE, &[(&id, Type::TEXT)]).await.is_ok()
    }

    async fn both(&self, tenant: &str, id: &str, number: i64) -> (Option<Vec<Seen>>, bool) {
        (self.read(tenant, number).await, self.write(tenant, id).await)
    }
}
