//! One statement in one round trip: right also when it fails, when its commit fails, when its statement went stale.

use std::time::Duration;

use futures_util::StreamExt;
use postgres_types::Type;
use rls_tool::ErrorKind;
use rls_tool::session::{SessionConfig, Statements};
use tokio_postgres::IsolationLevel;
use tokio_postgres::error::SqlState;

use crate::shop::{NAMES, Shop, texts};
use crate::support::run;

#[tokio::test]
async fn a_failing_statement_is_reported_and_nothing_stays() {
    let shop = Shop::open("one_fails").await;
    for statements in [Statements::Named, Statements::Unnamed] {
        let pool = shop
            .pool_with(1, SessionConfig::new().statements(statements))
            .await;
        let scope = pool.tenant(&shop.a);
        let error = scope.query("select nonsense", &[]).await.unwrap_err();
        assert_eq!(error.sql_state(), Some(&SqlState::UNDEFINED_COLUMN));
        let error = scope.query("select 1/$1::int", &[&0]).await.unwrap_err();
        assert_eq!(error.sql_state(), Some(&SqlState::DIVISION_BY_ZERO));
        // Wrong number and type of parameters are found on this side.
        scope.query("select $1::int", &[]).await.unwrap_err();
        scope.query("select $1::int", &[&"text"]).await.unwrap_err();
        scope.query("select 1; select 2", &[]).await.unwrap_err();
        let error = scope
            .query_typed_one("select 1 where false", &[])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RowCount);
        let error = scope.query_opt(NAMES, &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RowCount);
        assert_eq!(
            texts(&pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap()),
            ["b1"]
        );
    }
}

#[tokio::test]
async fn a_commit_that_fails_is_an_error() {
    let shop = Shop::open("one_commit").await;
    let admin = shop.database.admin().await;
    run(
        &admin,
        "create table once (id int unique deferrable initially deferred); grant all on once to app_user",
    )
    .await;
    let pool = shop.pool(1).await;
    let error = pool
        .tenant(&shop.a)
        .execute("insert into once values (1), (1)", &[])
        .await
        .unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::UNIQUE_VIOLATION));
    let tx = pool.tenant(&shop.a).begin().await.unwrap();
    tx.batch_execute("insert into once values (2), (2)")
        .await
        .unwrap();
    let error = tx.commit().await.unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::UNIQUE_VIOLATION));
    let count: i64 = admin
        .query_one("select count(*) from once", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 0);
}

#[tokio::test]
async fn commit_after_a_failed_statement_is_an_error() {
    let shop = Shop::open("one_failed_tx").await;
    let pool = shop.pool(1).await;
    let tx = pool.tenant(&shop.a).begin().await.unwrap();
    tx.execute("insert into notes values (1, 'lost')", &[])
        .await
        .unwrap();
    tx.query("select 1/0", &[]).await.unwrap_err();
    let error = tx.commit().await.unwrap_err();
    assert!(
        error.to_string().contains("nothing was committed"),
        "{}",
        error.chain()
    );
    // Twin: the raw client's commit says nothing.
    let mut raw = shop.raw().await;
    let tx = raw.transaction().await.unwrap();
    tx.query("select 1/0", &[]).await.unwrap_err();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_binding_that_fails_lets_nothing_run() {
    let shop = Shop::open("one_binding").await;
    let pool = shop.pool(1).await;
    let insert = "insert into notes values (1, 'unbound')";
    // app_user may not become this role, so the binding fails within the transaction that BEGIN opened.
    let error = pool
        .tenant(&shop.a)
        .role("app_owner")
        .execute(insert, &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{}", error.chain());
    let tx = pool.tenant(&shop.a).role("app_owner").begin().await.unwrap();
    tx.execute(insert, &[]).await.unwrap_err();
    tx.execute(insert, &[]).await.unwrap_err();
    tx.commit().await.unwrap_err();
    let admin = shop.database.admin().await;
    let count: i64 = admin
        .query_one("select count(*) from notes", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 0);
    pool.tenant(&shop.b).execute(insert, &[]).await.unwrap();
}

#[tokio::test]
async fn statements_that_went_stale_are_prepared_anew() {
    let shop = Shop::open("one_stale").await;
    let admin = shop.database.admin().await;
    let pool = shop
        .pool_with(1, SessionConfig::new().statements(Statements::Named))
        .await;
    let scope = pool.tenant(&shop.a);
    scope.query("select * from notes", &[]).await.unwrap();
    run(
        &admin,
        "alter table notes add column more text default 'm'; insert into notes values (1, 'n')",
    )
    .await;
    let row = scope.query_one("select * from notes", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(2), "m");
}

#[tokio::test]
async fn expected_rows_are_enforced_before_commit() {
    let shop = Shop::open("one_expected").await;
    let pool = shop.pool(1).await;
    let one = pool.tenant(&shop.a).expect_rows(1);
    let update = "update app.processes set description = 'changed' where name like $1";
    assert_eq!(one.execute(update, &[&"a1"]).await.unwrap(), 1);
    let error = one.execute(update, &[&"b1"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RowCount);
    assert!(error.help().unwrap().contains("another tenant"));
    let error = one
        .execute_typed(update, &[(&"a%", Type::TEXT)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RowCount);
    let count = "select count(*) from app.processes where description = 'changed'";
    assert_eq!(
        pool.tenant(&shop.a)
            .query_one(count, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

#[tokio::test]
async fn modes_reach_the_server() {
    let shop = Shop::open("one_modes").await;
    let pool = shop.pool(1).await;
    let scope = pool
        .tenant(&shop.a)
        .isolation(IsolationLevel::Serializable)
        .read_only()
        .deferrable();
    let sql = "select current_setting('transaction_isolation'), current_setting('transaction_deferrable')";
    let row = scope.query_one(sql, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1)),
        ("serializable", "on")
    );
    let error = scope
        .execute("insert into notes values (1, 'x')", &[])
        .await
        .unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled_by_the_server() {
    let shop = Shop::open("one_timeout").await;
    let pool = shop.pool(1).await;
    let scope = pool.tenant(&shop.a).statement_timeout(Duration::from_millis(50));
    let error = scope.query("select pg_sleep(5)", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        texts(&pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap()),
        ["b1"]
    );
}

#[tokio::test]
async fn a_streamed_one_shot_commits_behind_its_last_row() {
    let shop = Shop::open("one_stream").await;
    let pool = shop.pool(1).await;
    let sql = "insert into notes select g, 'n' from generate_series(1, $1::int) g returning id";
    let mut rows = pool.tenant(&shop.a).query_raw(sql, &[&1000]).await.unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().await {
        count += 1;
        assert_eq!(row.unwrap().get::<_, i32>(0), count);
    }
    assert_eq!(count, 1000);
    drop(rows);
    // Given up half-way, it is rolled back.
    let mut rows = pool
        .tenant(&shop.a)
        .query_raw("delete from notes returning id", &[])
        .await
        .unwrap();
    rows.next().await.unwrap().unwrap();
    drop(rows);
    let sql = "select count(*) from notes";
    assert_eq!(
        pool.tenant(&shop.a)
            .query_one(sql, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        1000
    );
}
