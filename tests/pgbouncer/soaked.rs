//! A short soak through PgBouncer; its long form is `cargo test --release -- --ignored soak`.

use std::time::Duration;

use crate::subjects::{naive_pooled, plan, pooled};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_soak() {
    for size in [1, 2] {
        let name = |who: &str| format!("{who}PgBouncer with {size} server connections");
        pooled(plan(Duration::from_secs(5)), size)
            .await
            .expect_isolation(&name(""));
        naive_pooled(plan(Duration::from_secs(1)), size)
            .await
            .expect_leaks(&name("naive, "));
    }
}
