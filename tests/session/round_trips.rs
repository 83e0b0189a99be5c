//! What binding a tenant costs on the wire: nothing. Counted by a proxy that holds answers back until the client has
//! been silent for a while, so that only what the client waits for counts.

use std::time::Duration;

use rls_tool::session::{SessionConfig, Statements, TenantPool};
use tokio_postgres::types::Type;

use crate::proxy::Proxy;
use crate::tenants::World;

const BY_ID: &str = "select n from shop.items where id = $1";
const RAISE: &str = "update shop.items set n = n + 1 where id = $1";

struct Counted {
    world: World,
    proxy: Proxy,
    pool: TenantPool,
}

impl Counted {
    async fn new(hint: &str, statements: Statements) -> Self {
        let world = World::new(hint).await;
        let proxy = Proxy::start(world.db.port());
        let pool = TenantPool::builder()
            .url(world.url(proxy.port()))
            .max_size(1)
            .config(SessionConfig::new().statements(statements))
            .build()
            .await
            .unwrap();
        proxy.count_after_silence(Duration::from_millis(30));
        Self { world, proxy, pool }
    }

    /// The round trips of an operation.
    async fn trips<T>(&self, operation: impl Future<Output = T>) -> (usize, T) {
        let before = self.proxy.round_trips();
        let output = operation.await;
        (self.proxy.round_trips() - before, output)
    }

    async fn one_shots(&self) -> Vec<usize> {
        let scope = self.pool.tenant("a");
        let mut trips = Vec::new();
        let (count, rows) = self.trips(scope.query(BY_ID, &[&"a-1"])).await;
        assert_eq!(rows.unwrap().len(), 1);
        trips.push(count);
        let (count, row) = self.trips(scope.query_one(BY_ID, &[&"a-1"])).await;
        row.unwrap();
        trips.push(count);
        let (count, row) = self.trips(scope.query_opt(BY_ID, &[&"b-1"])).await;
        assert!(row.unwrap().is_none(), "another tenant's row");
        trips.push(count);
        let (count, changed) = self.trips(scope.execute(RAISE, &[&"a-1"])).await;
        assert_eq!(changed.unwrap(), 1);
        trips.push(count);
        let (count, rows) = self
            .trips(scope.query_typed(BY_ID, &[(&"a-1", Type::TEXT)]))
            .await;
        assert_eq!(rows.unwrap().len(), 1);
        trips.push(count);
        trips
    }
}

#[tokio::test]
async fn a_one_shot_is_one_round_trip() {
    let counted = Counted::new("trips_named", Statements::Named).await;
    // The first use of a statement on a connection prepares it: one more. Typed statements need no preparing.
    assert_eq!(counted.one_shots().await, [2, 1, 1, 2, 1]);
    // From then on it is one, checkout included.
    assert_eq!(counted.one_shots().await, [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn unnamed_statements_are_one_round_trip_at_once() {
    let counted = Counted::new("trips_unnamed", Statements::Unnamed).await;
    assert_eq!(counted.one_shots().await, [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn n_dependent_statements_are_n_and_one_round_trips() {
    let counted = Counted::new("trips_tx", Statements::Named).await;
    counted.one_shots().await;
    for statements in 1..=4 {
        let transaction = async {
            let tx = counted.pool.tenant("a").begin().await.unwrap();
            for _ in 0..statements {
                assert_eq!(tx.execute(RAISE, &[&"a-1"]).await.unwrap(), 1);
            }
            tx.commit().await.unwrap();
        };
        assert_eq!(counted.trips(transaction).await.0, statements + 1);
    }
    // Beginning sends nothing, so that a transaction in which nothing is run costs nothing.
    let empty = async { counted.pool.tenant("a").begin().await.unwrap().commit().await };
    assert_eq!(counted.trips(empty).await.0, 0);
    // Dropped, it is rolled back without anybody waiting: the ROLLBACK travels by itself.
    let before = counted.world.count("select sum(n)::int8 from shop.items").await;
    let dropped = async {
        let tx = counted.pool.tenant("a").begin().await.unwrap();
        tx.execute(RAISE, &[&"a-1"]).await.unwrap();
    };
    assert_eq!(counted.trips(dropped).await.0, 1);
    counted.one_shots().await;
    assert_eq!(
        counted.world.count("select sum(n)::int8 from shop.items").await,
        before + 1
    );
}

/// The twin: what the same costs when every step is waited for.
#[tokio::test]
async fn the_sequence_of_a_naive_wrapper_costs_four() {
    let counted = Counted::new("trips_naive", Statements::Named).await;
    let mut client = counted.world.raw(counted.proxy.port()).await;
    let bind = client
        .prepare("select set_config('app.current_tenant', $1, true)")
        .await
        .unwrap();
    let by_id = client.prepare(BY_ID).await.unwrap();
    let naive = async {
        let tx = client.transaction().await.unwrap();
        tx.query(&bind, &[&"a"]).await.unwrap();
        tx.query_one(&by_id, &[&"a-1"]).await.unwrap();
        tx.commit().await.unwrap();
    };
    assert_eq!(counted.trips(naive).await.0, 4);
}

/// A delay of 20 ms each way is felt once.
#[tokio::test]
async fn a_slow_network_is_felt_once() {
    let counted = Counted::new("trips_slow", Statements::Named).await;
    counted.one_shots().await;
    counted.proxy.count_after_silence(Duration::ZERO);
    counted.proxy.delay(Duration::from_millis(50));
    let begun = std::time::Instant::now();
    counted.pool.tenant("a").query(BY_ID, &[&"a-1"]).await.unwrap();
    let elapsed = begun.elapsed();
    assert!(
        elapsed >= Duration::from_millis(100) && elapsed < Duration::from_millis(200),
        "{elapsed:?}"
    );
}
