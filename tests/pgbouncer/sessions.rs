//! Sessions through PgBouncer: each tenant its own rows, no trouble with named statements, whatever the pool's size, and
//! while the pooler restarts.

use std::time::Duration;

use rls_tool::ErrorKind;
use rls_tool::session::{SessionConfig, Statements, TenantPool};

use crate::pooler::PgBouncer;
use crate::tenants::{SEEN, World};

async fn pool(world: &World, pooler: &PgBouncer, size: usize, statements: Statements) -> TenantPool {
    TenantPool::builder()
        .url(world.url(pooler.port()))
        .max_size(size)
        .config(SessionConfig::new().statements(statements))
        .build()
        .await
        .unwrap()
}

/// Many tasks of two tenants over more client connections than there are server connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_share_server_connections() {
    for size in [1, 2] {
        let world = World::new("shared").await;
        let pooler = PgBouncer::start(world.db.port(), &world.role, size);
        // Two pools, as two processes would have them, so that the names of statements would collide.
        let pools = [
            pool(&world, &pooler, 8, Statements::Unnamed).await,
            pool(&world, &pooler, 8, Statements::Detect).await,
        ];
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..16 {
            let pool = pools[task % 2].clone();
            let tenant = ["a", "b"][task / 2 % 2];
            tasks.spawn(async move {
                for turn in 0..50_i64 {
                    let sql = "select $1::int8, tenant_id from shop.items";
                    let rows = pool.tenant(tenant).query(sql, &[&turn]).await.unwrap();
                    assert_eq!(rows.len(), 3);
                    for row in &rows {
                        assert_eq!((row.get(0), row.get(1)), (turn, tenant));
                    }
                    let tx = pool.tenant(tenant).begin().await.unwrap();
                    let raise = "update shop.items set n = n + 1 where id = $1";
                    let changed = tx.execute(raise, &[&format!("{tenant}-1")]).await.unwrap();
                    assert_eq!(changed, 1);
                    if turn % 2 == 0 {
                        tx.commit().await.unwrap();
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        // Eight tasks a tenant, of whose fifty transactions every second was dropped.
        for tenant in ["a", "b"] {
            let sql = format!("select n from shop.items where id = '{tenant}-1'");
            assert_eq!(world.count(&sql).await, 8 * 25);
        }
        let raw = world.raw(pooler.port()).await;
        assert!(
            World::seen(&raw).await.is_empty(),
            "somebody's tenant was left behind"
        );
    }
}

/// What detection decides must be right for the PgBouncer at hand: two processes' statements of one name.
#[tokio::test]
async fn detection_avoids_named_statements_where_they_break() {
    let world = World::new("detect").await;
    let pooler = PgBouncer::start(world.db.port(), &world.role, 2);
    let one = pool(&world, &pooler, 1, Statements::Detect).await;
    let other = pool(&world, &pooler, 1, Statements::Detect).await;
    for turn in 0..20_i64 {
        // A transaction left open on one server connection sends the other pool to the other one.
        let tx = one.tenant("a").begin().await.unwrap();
        let row = tx
            .query_one("select 'a' where $1::int8 = $1", &[&turn])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), "a");
        let row = other
            .tenant("b")
            .query_one("select 'b' where $1::int8 = $1", &[&turn])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), "b");
        if turn % 3 == 0 {
            tx.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_pooler_restarts() {
    let world = World::new("restart").await;
    let mut pooler = PgBouncer::start(world.db.port(), &world.role, 1);
    let pool = pool(&world, &pooler, 2, Statements::Detect).await;
    let tx = pool.tenant("a").begin().await.unwrap();
    tx.execute("insert into shop.items (id) values ('uncommitted')", &[])
        .await
        .unwrap();
    pooler.restart();
    assert_eq!(tx.query(SEEN, &[]).await.unwrap_err().kind(), ErrorKind::Closed);
    drop(tx);
    for _ in 0..4 {
        let rows = match pool.tenant("b").query(SEEN, &[]).await {
            // The pool's idle connections died with the pooler: each may say so once.
            Err(error) if error.kind() == ErrorKind::Closed => continue,
            other => other.unwrap(),
        };
        assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["b"]);
    }
    let rows = pool.tenant("a").query(SEEN, &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        world
            .count("select count(*) from shop.items where id = 'uncommitted'")
            .await,
        0
    );
}

/// More callers than connections wait their turn, and one that holds on to its own makes the others fail in time.
#[tokio::test]
async fn an_exhausted_pooler_is_a_timeout() {
    let world = World::new("exhausted").await;
    let pooler = PgBouncer::start(world.db.port(), &world.role, 1);
    let pool = pool(&world, &pooler, 2, Statements::Detect).await;
    let tx = pool.tenant("a").begin().await.unwrap();
    tx.query(SEEN, &[]).await.unwrap();
    let limit = Duration::from_millis(200);
    let scope = pool.tenant("b");
    assert!(tokio::time::timeout(limit, scope.query(SEEN, &[])).await.is_err());
    tx.commit().await.unwrap();
    // The call that was given up had been queued whole, or not at all.
    let rows = pool.tenant("b").query(SEEN, &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["b"]);
}

/// Results of a user's type make the driver ask for it with named statements, which must not be in anybody's way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enums_arrive_whatever_server_connection_answers() {
    let world = World::new("enums").await;
    let admin = world.db.admin().await;
    let sql = "create type shop.mood as enum ('good', 'bad')";
    admin.batch_execute(sql).await.unwrap();
    let pooler = PgBouncer::start(world.db.port(), &world.role, 2);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let pool = pool(&world, &pooler, 4, Statements::Detect).await;
        for task in 0..8 {
            let pool = pool.clone();
            let tenant = ["a", "b"][task % 2];
            tasks.spawn(async move {
                for _ in 0..10 {
                    let sql = "select 'good'::shop.mood, tenant_id, repeat('x', 10000) \
                               from shop.items, generate_series(1, 20)";
                    let rows = pool.tenant(tenant).query(sql, &[]).await.unwrap();
                    assert!(rows.len() == 60 && rows.iter().all(|row| row.get::<_, &str>(1) == tenant));
                }
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}
