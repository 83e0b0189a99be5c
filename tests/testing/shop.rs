//! A small shop: customers are tenants by UUID, orders have lines that belong to nobody but by their order, countries
//! belong to all.

use rls_tool::testing::Postgres;

/// The role of the application.
pub(crate) const ROLE: &str = "testing_shop";

pub(crate) const SCHEMA: &str = "tests/testing/shop.sql";

/// A database with the shop.
pub(crate) async fn shop(hint: &str) -> Postgres {
    let db = Postgres::builder().name(hint).role(ROLE).start().await.unwrap();
    db.create_role(ROLE).await.unwrap();
    db.sql_files(SCHEMA)
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    db
}

/// The same after the sabotage.
pub(crate) async fn sabotaged(hint: &str, sql: &str) -> Postgres {
    let db = shop(hint).await;
    db.owner().await.unwrap().batch_execute(sql).await.unwrap();
    db
}

/// The message with which an assertion panics.
pub(crate) async fn message(assertion: impl Future<Output = ()> + Send) -> String {
    use futures_util::FutureExt as _;
    let caught = std::panic::AssertUnwindSafe(assertion).catch_unwind().await;
    let payload = caught.expect_err("the assertion should have failed");
    payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| (*payload.downcast_ref::<&str>().unwrap()).to_owned())
}
