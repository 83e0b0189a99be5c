//! What the others would prove nothing without: a wrapper that sets the tenant for the whole session leaks here, in the
//! very arrangement in which ours does not, and named statements do answer for one another.

use tokio_postgres::Client;

use crate::pooler::PgBouncer;
use crate::tenants::World;

async fn set(client: &Client, tenant: &str) {
    let sql = format!("set app.current_tenant = '{tenant}'");
    client.batch_execute(&sql).await.unwrap();
}

/// Two customers' requests in the order in which a session-wide SET answers with the other's rows.
#[tokio::test]
async fn a_session_wide_set_is_the_next_clients_tenant() {
    let world = World::new("naive").await;
    let pooler = PgBouncer::start(world.db.port(), &world.role, 1);
    let (a, b) = (world.raw(pooler.port()).await, world.raw(pooler.port()).await);
    set(&a, "a").await;
    assert_eq!(World::seen(&b).await, ["a"], "b never bound a tenant");
    set(&b, "b").await;
    assert_eq!(World::seen(&a).await, ["b"], "a had bound itself to a");
    // It writes there, too.
    let sql = "update shop.items set n = n + 1";
    assert_eq!(a.execute_typed(sql, &[]).await.unwrap(), 3);
    assert_eq!(
        world
            .count("select count(*) from shop.items where tenant_id = 'b' and n = 1")
            .await,
        3
    );
}

/// Why there is a mode without named statements: PgBouncer before 1.21 hands a name to whichever server is free.
#[tokio::test]
async fn named_statements_are_other_servers_business() {
    let world = World::new("named").await;
    let pooler = PgBouncer::start(world.db.port(), &world.role, 2);
    let (one, other) = (world.raw(pooler.port()).await, world.raw(pooler.port()).await);
    let statement = one.prepare("select 1").await.unwrap();
    // The first server is busy with a transaction of another client, so that the second one answers.
    run_on_first(&other).await;
    let version = PgBouncer::version();
    let outcome = one.query_one(&statement, &[]).await;
    assert_eq!(
        outcome.is_ok(),
        version >= (1, 21),
        "PgBouncer {version:?}: {outcome:?}"
    );
}

/// Keeps the server connection that was used last, which PgBouncer gives out first.
async fn run_on_first(client: &Client) {
    client.batch_execute("begin").await.unwrap();
}
