//! Pools: exhausted, with connections killed at every step, somebody else's, and what they tell about themselves.

use std::time::{Duration, Instant};

use rls_tool::session::{SessionConfig, Statements};
use rls_tool::{ErrorKind, TenantPool};
use tokio_postgres::NoTls;

use crate::shop::{NAMES, Shop, texts};
use crate::support::run;

#[tokio::test]
async fn an_exhausted_pool_is_a_timeout_and_recovers() {
    let shop = Shop::open("pool_exhausted").await;
    let config = SessionConfig::new().checkout_timeout(Duration::from_millis(100));
    let pool = shop.pool_with(1, config).await;
    let held = pool.tenant(&shop.a).begin().await.unwrap();
    let started = Instant::now();
    let error = pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.chain());
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(held);
    assert_eq!(
        texts(&pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap()),
        ["b1"]
    );
}

/// Ends the application's backends in this database and waits until they are gone.
async fn kill(admin: &tokio_postgres::Client) {
    let sql = "select pg_terminate_backend(pid) from pg_stat_activity \
               where usename = 'app_user' and datname = current_database()";
    run(admin, sql).await;
    let sql =
        "select count(*) from pg_stat_activity where usename = 'app_user' and datname = current_database()";
    while admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // And this side has read so.
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test]
async fn a_backend_killed_at_any_step_is_an_error_and_the_pool_goes_on() {
    let shop = Shop::open("pool_killed").await;
    let admin = shop.database.admin().await;
    let pool = shop.pool(1).await;
    for step in 0..5 {
        let scope = pool.tenant(&shop.a);
        let work = async {
            let mut tx = scope.begin().await?;
            if step == 0 {
                kill(&admin).await;
            }
            tx.execute("insert into notes values (1, 'lost')", &[]).await?;
            if step == 1 {
                kill(&admin).await;
            }
            let nested = tx.savepoint().await?;
            if step == 2 {
                kill(&admin).await;
            }
            nested.commit().await?;
            if step == 3 {
                kill(&admin).await;
                tx.rollback().await
            } else {
                kill(&admin).await;
                tx.commit().await
            }
        };
        let error = work.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "step {step}: {}", error.chain());
        assert_eq!(
            texts(&pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap()),
            ["b1"],
            "step {step}"
        );
        let notes = pool
            .tenant(&shop.b)
            .query("select 1 from notes", &[])
            .await
            .unwrap();
        assert!(notes.is_empty(), "step {step}");
    }
    // An idle connection that died is not handed out.
    kill(&admin).await;
    assert_eq!(
        texts(&pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap()),
        ["b1"]
    );
    // A running statement.
    let (error, ()) = tokio::join!(
        async {
            pool.tenant(&shop.a)
                .query("select pg_sleep(10)", &[])
                .await
                .unwrap_err()
        },
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            kill(&admin).await;
        }
    );
    assert_eq!(error.kind(), ErrorKind::Closed, "{}", error.chain());
}

#[tokio::test]
async fn a_pool_of_ones_own_serves_as_well() {
    let shop = Shop::open("pool_foreign").await;
    let mut config = shop.database.options().config().clone();
    config.user("app_user");
    let manager = bb8_postgres::PostgresConnectionManager::new(config.clone(), NoTls);
    let bb8 = bb8::Pool::builder().max_size(1).build(manager).await.unwrap();
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let deadpool = deadpool_postgres::Pool::builder(manager)
        .max_size(2)
        .build()
        .unwrap();
    let over_bb8 = {
        let bb8 = bb8.clone();
        move || {
            let bb8 = bb8.clone();
            async move { bb8.get_owned().await }
        }
    };
    let over_bb8 = TenantPool::builder().checkout(over_bb8).build().await.unwrap();
    assert_eq!(over_bb8.statements(), Statements::Unnamed);
    let over_deadpool = TenantPool::builder().pool(deadpool).build().await.unwrap();
    assert_eq!(over_deadpool.statements(), Statements::Named);
    for pool in [&over_bb8, &over_deadpool] {
        for _ in 0..2 {
            let sql = "select name from app.processes where name <> $1 order by name";
            assert_eq!(
                texts(&pool.tenant(&shop.a).query(sql, &[&"a2"]).await.unwrap()),
                ["a1"]
            );
            assert_eq!(
                texts(&pool.tenant(&shop.b).query(sql, &[&"a2"]).await.unwrap()),
                ["b1"]
            );
        }
        let tx = pool.tenant(&shop.a).begin().await.unwrap();
        tx.execute("insert into notes values ($1, $2)", &[&1, &"x"])
            .await
            .unwrap();
        drop(tx);
        assert!(
            pool.tenant(&shop.a)
                .query("select 1 from notes", &[])
                .await
                .unwrap()
                .is_empty()
        );
    }
    drop((over_bb8, over_deadpool));
    assert!(
        bb8.get()
            .await
            .unwrap()
            .query(NAMES, &[])
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn roles_that_bypass_row_security_get_no_pool() {
    let shop = Shop::open("pool_guard").await;
    let built = TenantPool::builder()
        .options(shop.database.options())
        .build()
        .await;
    let error = built.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsafeRole);
    // Twin: what the guard prevents.
    let unguarded = TenantPool::builder()
        .options(shop.database.options())
        .unguarded("to show what happens")
        .build()
        .await
        .unwrap();
    let seen = unguarded.tenant(&shop.a).query(NAMES, &[]).await.unwrap();
    assert_eq!(texts(&seen), ["a1", "a2", "b1"]);
}

#[tokio::test]
async fn passwords_are_in_no_text() {
    let builder = TenantPool::builder().url("postgres://app_user:hunter2@127.0.0.1:1/nowhere");
    let described = format!("{builder:?}");
    let error = builder.build().await.unwrap_err();
    for text in [described, format!("{error:?}"), error.to_string(), error.chain()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_leaked_transaction_costs_its_connection_and_nothing_else() {
    let shop = Shop::open("pool_forget").await;
    let config = SessionConfig::new().checkout_timeout(Duration::from_millis(100));
    let pool = shop.pool_with(1, config.clone()).await;
    let tx = pool.tenant(&shop.a).begin().await.unwrap();
    tx.query(NAMES, &[]).await.unwrap();
    std::mem::forget(tx);
    let error = pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.chain());

    let session = rls_tool::TenantSession::open(shop.raw().await, config)
        .await
        .unwrap();
    let tx = session.tenant(&shop.a).begin().await.unwrap();
    tx.query(NAMES, &[]).await.unwrap();
    std::mem::forget(tx);
    let error = session.tenant(&shop.b).query(NAMES, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.chain());
}

#[tokio::test]
async fn a_lookup_sees_what_its_function_says_and_no_more() {
    let shop = Shop::open("pool_lookup").await;
    let admin = shop.database.admin().await;
    run(
        &admin,
        "create function public.count_processes() returns bigint language sql as 'select count(*) from app.processes'",
    )
    .await;
    let pool = shop.pool(1).await;
    let session = rls_tool::TenantSession::open(shop.raw().await, SessionConfig::new())
        .await
        .unwrap();
    pool.tenant(&shop.a).query(NAMES, &[]).await.unwrap();
    // Of the invoker: no tenant, no rows.
    for rows in [
        pool.lookup("public", "count_processes", &[]).await.unwrap(),
        session.lookup("public", "count_processes", &[]).await.unwrap(),
    ] {
        assert_eq!(rows[0].get::<_, i64>(0), 0);
    }
    let none = pool
        .lookup("app", "find_api_key", &[&vec![0_u8; 32]])
        .await
        .unwrap();
    assert!(none.is_empty());
    let error = pool
        .lookup("app", "no_such_function\"; drop", &[])
        .await
        .unwrap_err();
    assert_eq!(error.sql_state().unwrap().code(), "42883");
}

/// Results of a user's type make the driver look the type up while rows are coming in.
#[tokio::test]
async fn many_rows_of_an_enum_arrive() {
    let shop = Shop::open("pool_enum").await;
    let sql = "select 'SANDBOX'::app.environment, repeat('x', 1000) from generate_series(1, 3000)";
    for statements in [Statements::Named, Statements::Unnamed] {
        let pool = shop
            .pool_with(1, SessionConfig::new().statements(statements))
            .await;
        let scope = pool.tenant(&shop.a);
        let query = tokio::time::timeout(Duration::from_secs(10), scope.query(sql, &[]));
        let rows = query
            .await
            .unwrap_or_else(|_| panic!("{statements:?} hangs"))
            .unwrap();
        assert_eq!(rows.len(), 3000);
        // The same typed, on a connection that has not met the type either.
        let pool = shop
            .pool_with(1, SessionConfig::new().statements(statements))
            .await;
        let scope = pool.tenant(&shop.a);
        let query = tokio::time::timeout(Duration::from_secs(10), scope.query_typed(sql, &[]));
        let rows = query
            .await
            .unwrap_or_else(|_| panic!("{statements:?}, typed, hangs"))
            .unwrap();
        assert_eq!(rows.len(), 3000);
    }
}
