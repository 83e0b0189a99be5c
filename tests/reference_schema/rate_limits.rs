//! The rate limit is exact however many sessions ask at once, and each tenant has its own.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::world::World;

/// One window that no test outlives.
const AGES: &str = "interval '365000 days'";

async fn consume(client: &tokio_postgres::Client, tenant: &str, call: &str) -> (bool, i32) {
    run(client, "begin").await;
    let bind = "select set_config('app.current_tenant', $1, true)";
    client.query_one(bind, &[&tenant]).await.unwrap();
    let sql = format!("select allowed, remaining from app.consume_rate_limit({call})");
    let row = client.query_one(&sql, &[]).await.unwrap();
    run(client, "commit").await;
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn eight_connections_together_never_exceed_the_limit() {
    const LIMIT: usize = 100;
    let world = World::new("rate").await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let client = world.db.client_as("app_user").await;
        let tenant = world.a.id().to_owned();
        tasks.push(tokio::spawn(async move {
            let mut allowed = 0;
            for _ in 0..40 {
                let (yes, remaining) = consume(&client, &tenant, &format!("'calls', {LIMIT}, {AGES}")).await;
                assert!((0..100).contains(&remaining), "{remaining}");
                allowed += usize::from(yes);
            }
            allowed
        }));
    }
    let mut allowed = 0;
    for task in tasks {
        allowed += task.await.unwrap();
    }
    assert_eq!(allowed, LIMIT, "of 320 asked");
    // The other tenant's limit of the same name is untouched.
    assert_eq!(
        consume(&world.app, world.b.id(), &format!("'calls', {LIMIT}, {AGES}")).await,
        (true, 99)
    );
}

/// The twin reads first and writes then, as is often done: two sessions that ask at once both get the last call.
#[tokio::test]
async fn the_twin_that_reads_before_it_writes_exceeds_the_limit() {
    let world = World::new("rate_twin").await;
    let (one, two) = (
        world.db.client_as("app_user").await,
        world.db.client_as("app_user").await,
    );
    let mut allowed = 0;
    for client in [&one, &two] {
        run(
            client,
            &format!("begin; set local app.current_tenant = '{}'", world.a.id()),
        )
        .await;
        let used: i32 = client
            .query_one("select used from app.rate_limits", &[])
            .await
            .unwrap()
            .get(0);
        allowed += i32::from(used < 2);
    }
    for client in [&one, &two] {
        run(client, "update app.rate_limits set used = used + 1; commit").await;
    }
    assert_eq!(allowed, 2, "one call was left of two, and both were let through");
}

#[tokio::test]
async fn a_refused_call_takes_nothing_and_costs_may_differ() {
    let world = World::new("rate_cost").await;
    let a = world.a.id();
    assert_eq!(
        consume(&world.app, a, &format!("'c', 10, {AGES}, 7")).await,
        (true, 3)
    );
    assert_eq!(
        consume(&world.app, a, &format!("'c', 10, {AGES}, 4")).await,
        (false, 3)
    );
    assert_eq!(
        consume(&world.app, a, &format!("'c', 10, {AGES}, 3")).await,
        (true, 0)
    );
    assert_eq!(
        consume(&world.app, a, &format!("'c', 10, {AGES}")).await,
        (false, 0)
    );
    // A limit that was raised or lowered since counts as it stands now.
    assert_eq!(
        consume(&world.app, a, &format!("'c', 12, {AGES}")).await,
        (true, 1)
    );
    assert_eq!(
        consume(&world.app, a, &format!("'c', 5, {AGES}")).await,
        (false, 0)
    );
    assert_eq!(
        consume(&world.app, a, &format!("'never', 3, {AGES}, 4")).await,
        (false, 3)
    );
    assert_eq!(
        consume(&world.app, a, &format!("'none', 0, {AGES}")).await,
        (false, 0)
    );
}

#[tokio::test]
async fn a_new_window_starts_afresh_and_never_goes_back() {
    let world = World::new("rate_window").await;
    let a = world.a.id();
    let call = format!("'w', 1, {AGES}");
    assert!(consume(&world.app, a, &call).await.0);
    assert!(!consume(&world.app, a, &call).await.0);
    let over =
        "update app.rate_limits set window_started_at = now() - interval '2 days', window_ends_at = now()
                where name = 'w'";
    run(&world.admin, over).await;
    assert!(consume(&world.app, a, &call).await.0, "the window was over");
    assert!(!consume(&world.app, a, &call).await.0);
    // A window that ends later than this session's clock would have it counts, whatever period is asked for.
    assert!(!consume(&world.app, a, "'w', 1, interval '1 second'").await.0);
}

#[tokio::test]
async fn an_unbound_session_consumes_nothing_and_nonsense_is_refused() {
    let world = World::new("rate_unbound").await;
    let call = vec![format!("select from app.consume_rate_limit('u', 1, {AGES})")];
    for value in ["", "garbage", (crate::tables::table("tenants").new_id)().as_str()] {
        let outcome = attempt(&world.app, Binding::To(value), &call).await;
        let expected = [
            Outcome::RowSecurity,
            Outcome::Constraint("rate_limits_tenant_fkey".to_owned()),
        ];
        assert!(expected.contains(&outcome), "{value:?}: {outcome:?}");
    }
    for arguments in [
        "'u', -1, interval '1 hour'",
        "'u', 1, interval '0'",
        "'u', 1, interval '-1 hour'",
        "'u', 1, interval '1 hour', 0",
        "'u', null, interval '1 hour'",
        "'u', 1, null",
    ] {
        world.bind(world.a.id()).await;
        let sql = format!("select from app.consume_rate_limit({arguments})");
        let error = world.app.query(&sql, &[]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "22023", "{arguments}");
        run(&world.app, "rollback").await;
    }
}
