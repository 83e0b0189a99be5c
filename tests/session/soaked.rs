//! The soak: `cargo test --release -- --ignored soak` runs the long form, straight to the server and through PgBouncer,
//! each with the naive wrapper as its control; a short form of the first half runs always.

use std::time::Duration;

use crate::subjects::{direct, naive_direct, naive_pooled, plan, pooled};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_soak() {
    direct(plan(Duration::from_secs(4)))
        .await
        .expect_isolation("direct");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_naive_wrapper_leaks() {
    naive_direct(plan(Duration::from_secs(1)))
        .await
        .expect_leaks("naive, direct");
}

/// Each part takes a minute, or `RLS_TEST_SOAK_SECONDS`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes and needs PgBouncer: cargo test --release -- --ignored soak"]
async fn soak() {
    let seconds = std::env::var("RLS_TEST_SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    let plan = plan(Duration::from_secs(seconds));
    direct(plan).await.expect_isolation("direct");
    naive_direct(plan).await.expect_leaks("naive, direct");
    for size in [1, 2] {
        let name = |who: &str| format!("{who}PgBouncer with {size} server connections");
        pooled(plan, size).await.expect_isolation(&name(""));
        naive_pooled(plan, size).await.expect_leaks(&name("naive, "));
    }
}
