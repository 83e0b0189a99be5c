//! Every assertion passes on the shop, and fails with a reason on the shop that somebody opened.

use rls_tool::testing::{
    Postgres, assert_every_door_decided, assert_isolated, assert_no_table_left_uncategorised, audit,
};

use crate::shop::{ROLE, message, sabotaged, shop};

/// A policy that opens a table to every tenant.
const OPEN: &str = "create policy open on shop.orders using (true)";

async fn a(db: &Postgres) -> rls_tool::testing::RoleSession<'_> {
    let [a, _] = db
        .tenants()
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    db.as_tenant(&a)
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// Without the view, which belongs to the tables' owner.
const WITHOUT_VIEW: &str = "drop view shop.totals";

#[tokio::test]
async fn an_isolated_database_passes_and_a_leaking_one_fails_with_the_exploit() {
    let db = shop("audited").await;
    let report = audit(&db).role(ROLE).run().await.unwrap();
    assert_isolated(&report);
    assert_every_door_decided(&report);

    let db = sabotaged("opened", OPEN).await;
    let report = audit(&db).run().await.unwrap();
    let message = message(async { assert_isolated(&report) }).await;
    assert!(
        message.contains("not isolated") && message.contains("shop.orders"),
        "{message}"
    );
    // A script for psql.
    assert!(
        message.contains("set_config") || message.contains("SET LOCAL"),
        "{message}"
    );
}

#[tokio::test]
async fn an_undecided_door_fails_the_coverage() {
    let db = shop("undecided").await;
    let mut report = audit(&db).run().await.unwrap();
    report.doors[0].verdict = rls_tool::audit::DoorVerdict::Undecided;
    let text = message(async { assert_every_door_decided(&report) }).await;
    assert!(
        text.contains("undecided") && text.contains(&report.doors[0].object.to_string()),
        "{text}"
    );
    report.doors.clear();
    message(async { assert_every_door_decided(&report) }).await;
}

#[tokio::test]
async fn nothing_verified_is_not_isolated() {
    let db = Postgres::start().await.unwrap();
    let report = audit(&db).run().await;
    // No role, no tables: either is no pass.
    if let Ok(report) = report {
        message(async { assert_isolated(&report) }).await;
    }
}

#[tokio::test]
async fn a_tenant_sees_only_its_own() {
    let db = shop("sees_only").await;
    let session = a(&db).await;
    for table in [
        "shop.tenants",
        "shop.orders",
        "shop.lines",
        "shop.totals",
        "orders",
    ] {
        session.sees_only(table).await;
    }

    let db = sabotaged("sees_all", OPEN).await;
    let session = a(&db).await;
    let text = message(session.sees_only("shop.orders")).await;
    assert!(
        text.contains("rows of shop.orders that are not its own") && text.contains("tenant_id"),
        "{text}"
    );
    message(session.sees_only("shop.totals")).await;
    // The lines' own policy still holds.
    session.sees_only("shop.lines").await;
}

#[tokio::test]
async fn a_tenant_that_sees_too_little_fails_as_well() {
    let db = sabotaged(
        "sees_less",
        "create policy less on shop.lines as restrictive using (number < 0)",
    )
    .await;
    let text = message(a(&db).await.sees_only("shop.lines")).await;
    assert!(text.contains("does not see"), "{text}");
}

#[tokio::test]
async fn an_empty_table_shows_nothing() {
    let db = shop("empty").await;
    let session = db.as_tenant(&uuid::Uuid::nil()).await.unwrap();
    let text = message(session.sees_only("shop.orders")).await;
    assert!(text.contains("shows nothing"), "{text}");
    let unbound = db.as_role(ROLE).await.unwrap();
    let text = message(unbound.sees_nothing("shop.orders")).await;
    assert!(text.contains("shows nothing"), "{text}");
}

#[tokio::test]
async fn an_unbound_session_sees_nothing() {
    let db = shop("unbound").await;
    db.tenants().await.unwrap();
    let session = db.as_role(ROLE).await.unwrap();
    for table in ["shop.tenants", "shop.orders", "shop.lines", "shop.totals"] {
        session.sees_nothing(table).await;
    }
    // It does see what belongs to all.
    let text = message(session.sees_nothing("shop.countries")).await;
    assert!(text.contains("sees") && text.contains("Portugal"), "{text}");

    let db = sabotaged(
        "unset",
        "create policy unset on shop.orders using (shop.tenant() is null)",
    )
    .await;
    db.tenants().await.unwrap();
    message(db.as_role(ROLE).await.unwrap().sees_nothing("shop.orders")).await;
    // A bound one sees its own as before.
    a(&db).await.sees_only("shop.orders").await;
}

#[tokio::test]
async fn what_does_not_belong_to_tenants_cannot_be_asked_for() {
    let db = shop("nobodys").await;
    let session = a(&db).await;
    let text = message(session.sees_only("shop.countries")).await;
    assert!(text.contains("does not belong to tenants"), "{text}");
    let text = message(session.cannot_insert("shop.countries")).await;
    assert!(text.contains("does not belong to tenants"), "{text}");
    let text = message(session.sees_only("shop.nothing")).await;
    assert!(text.contains("no table or view"), "{text}");
    message(db.as_role(ROLE).await.unwrap().sees_only("shop.orders")).await;
}

#[tokio::test]
async fn other_tenants_rows_cannot_be_written() {
    let db = sabotaged("write", WITHOUT_VIEW).await;
    let session = a(&db).await;
    for table in ["shop.orders", "shop.lines"] {
        session.cannot_insert(table).await;
        session.cannot_update(table).await;
        session.cannot_delete(table).await;
    }
}

#[tokio::test]
async fn each_way_to_write_is_told_apart() {
    for (command, sql) in [
        ("insert", "alter policy own on shop.orders with check (true)"),
        (
            "update",
            "create policy open on shop.orders for update using (true)",
        ),
        (
            "delete",
            "create policy open on shop.orders for delete using (true)",
        ),
    ] {
        let db = sabotaged("each", sql).await;
        let session = a(&db).await;
        let verdicts = [
            ("insert", fails(session.cannot_insert("shop.orders")).await),
            ("update", fails(session.cannot_update("shop.orders")).await),
            ("delete", fails(session.cannot_delete("shop.orders")).await),
        ];
        for (tried, failed) in verdicts {
            // WITH CHECK (true) lets rows be given away by UPDATE too.
            let expected = tried == command || (command, tried) == ("insert", "update");
            assert_eq!(failed.is_some(), expected, "{sql}: {tried}: {failed:?}");
        }
    }
}

async fn fails(assertion: impl Future<Output = ()> + Send) -> Option<String> {
    use futures_util::FutureExt as _;
    let caught = std::panic::AssertUnwindSafe(assertion).catch_unwind().await;
    caught
        .err()
        .map(|payload| payload.downcast_ref::<String>().unwrap().clone())
}

#[tokio::test]
async fn without_the_privilege_there_is_nothing_to_try() {
    let db = sabotaged(
        "privilege",
        "revoke delete on shop.orders from testing_shop; create policy open on shop.orders for delete using (true)",
    )
    .await;
    a(&db).await.cannot_delete("shop.orders").await;
}

#[tokio::test]
async fn every_table_has_to_be_categorised() {
    let db = shop("categorised").await;
    assert_no_table_left_uncategorised(&db, &["shop.countries"]).await;
    let text = message(assert_no_table_left_uncategorised(&db, &[])).await;
    assert!(text.contains("shop.countries belongs to no tenant"), "{text}");
    let declared = &["shop.countries", "shop.orders", "shop.gone"];
    let text = message(assert_no_table_left_uncategorised(&db, declared)).await;
    assert!(
        text.contains("shop.orders is declared") && text.contains("no such table"),
        "{text}"
    );

    let db = sabotaged(
        "forgotten",
        "create table shop.notes (id int primary key, body text)",
    )
    .await;
    let text = message(assert_no_table_left_uncategorised(&db, &["shop.countries"])).await;
    assert!(text.contains("shop.notes"), "{text}");
    let db = Postgres::start().await.unwrap();
    message(assert_no_table_left_uncategorised(&db, &[])).await;
}
