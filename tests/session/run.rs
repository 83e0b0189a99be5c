//! `run`: serialization failures and deadlocks are tried again, so often and no more; errors and panics roll back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use rls_tool::session::{Observer, Retry, SessionConfig, TransactionEnd};
use rls_tool::{Error, TenantPool};
use tokio_postgres::IsolationLevel;
use tokio_postgres::error::SqlState;

use crate::shop::{NAMES, Shop, texts};

/// Counts what it is told.
#[derive(Default)]
struct Counter {
    ends: Mutex<Vec<TransactionEnd>>,
    retries: AtomicU32,
}

impl Observer for Counter {
    fn ended(&self, end: TransactionEnd, _: Duration, _: u64) {
        self.ends.lock().unwrap().push(end);
    }

    fn retried(&self, _: u32, cause: &SqlState) {
        assert_eq!(*cause, SqlState::T_R_SERIALIZATION_FAILURE);
        self.retries.fetch_add(1, Ordering::Relaxed);
    }
}

async fn watched(shop: &Shop) -> (TenantPool, Arc<Counter>) {
    let counter = Arc::new(Counter::default());
    let retry = Retry::attempts(4).pauses(Duration::from_millis(1), Duration::from_millis(4));
    let config = SessionConfig::new().retry(retry).observer(counter.clone());
    (shop.pool_with(4, config).await, counter)
}

/// Reports a serialization failure, as a statement would.
const CONFLICT: &str = "do $$ begin raise exception 'conflict' using errcode = '40001'; end $$";

#[tokio::test]
async fn serialization_failures_are_tried_again() {
    let shop = Shop::open("run_conflict").await;
    let (pool, counter) = watched(&shop).await;
    let attempts = Arc::new(AtomicU32::new(0));
    let count = attempts.clone();
    let result: Result<u32, Error> = pool
        .tenant(&shop.a)
        .run(move |tx| {
            let attempt = count.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(async move {
                tx.execute("insert into notes values (1, 'once')", &[]).await?;
                if attempt < 3 {
                    tx.execute(CONFLICT, &[]).await?;
                }
                Ok(attempt)
            })
        })
        .await;
    assert_eq!(result.unwrap(), 3);
    assert_eq!(counter.retries.load(Ordering::Relaxed), 2);
    assert_eq!(
        *counter.ends.lock().unwrap(),
        [
            TransactionEnd::RolledBack,
            TransactionEnd::RolledBack,
            TransactionEnd::Committed
        ]
    );
}

#[tokio::test]
async fn real_conflicts_end_with_every_increment_counted() {
    let shop = Shop::open("run_real").await;
    let retry = Retry::attempts(50).pauses(Duration::from_millis(1), Duration::from_millis(20));
    let pool = shop.pool_with(4, SessionConfig::new().retry(retry)).await;
    pool.tenant(&shop.a)
        .execute("insert into notes values (1, '0')", &[])
        .await
        .unwrap();
    let increments = (0..20).map(|_| {
        let pool = pool.clone();
        let tenant = shop.a;
        tokio::spawn(async move {
            let scope = pool.tenant(&tenant).isolation(IsolationLevel::Serializable);
            scope
                .run(|tx| {
                    Box::pin(async move {
                        let row = tx
                            .query_one("select note::int from notes where id = 1", &[])
                            .await?;
                        let next = (row.get::<_, i32>(0) + 1).to_string();
                        tx.execute("update notes set note = $1 where id = 1", &[&next])
                            .await?;
                        Ok::<_, Error>(())
                    })
                })
                .await
        })
    });
    for done in futures_util::future::join_all(increments).await {
        done.unwrap().unwrap();
    }
    let row = pool
        .tenant(&shop.a)
        .query_one("select note from notes", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "20");
}

#[tokio::test]
async fn attempts_are_bounded_and_other_errors_are_final() {
    let shop = Shop::open("run_bounded").await;
    let (pool, counter) = watched(&shop).await;
    let scope = pool.tenant(&shop.a);
    let error = scope
        .run(|tx| Box::pin(async move { tx.execute(CONFLICT, &[]).await }))
        .await
        .unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
    assert_eq!(counter.retries.load(Ordering::Relaxed), 3);
    let error = scope
        .run(|tx| Box::pin(async move { tx.execute("select 1/0", &[]).await }))
        .await
        .unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::DIVISION_BY_ZERO));
    assert_eq!(counter.retries.load(Ordering::Relaxed), 3);
}

/// An application's own error type.
#[derive(Debug)]
enum AppError {
    Refused,
    Database(#[expect(dead_code, reason = "shown by Debug")] Error),
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

#[tokio::test]
async fn an_error_or_a_panic_of_the_closure_rolls_back() {
    let shop = Shop::open("run_panic").await;
    let pool = shop.pool(1).await;
    let scope = pool.tenant(&shop.a);
    let refused = scope
        .run(|tx| {
            Box::pin(async move {
                tx.execute("insert into notes values (1, 'x')", &[]).await?;
                Err::<(), _>(AppError::Refused)
            })
        })
        .await;
    assert!(matches!(refused, Err(AppError::Refused)), "{refused:?}");
    let panicked = std::panic::AssertUnwindSafe(scope.run(|tx| {
        Box::pin(async move {
            tx.execute("insert into notes values (1, 'x')", &[]).await?;
            assert_eq!(tx.query(NAMES, &[]).await?.len(), 0, "panics on purpose");
            Ok::<_, Error>(())
        })
    }))
    .catch_unwind()
    .await;
    assert!(panicked.is_err());
    // The only connection serves the next tenant, and nothing was kept.
    assert_eq!(
        texts(&pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap()),
        ["b1"]
    );
    assert!(
        pool.tenant(&shop.b)
            .query("select 1 from notes", &[])
            .await
            .unwrap()
            .is_empty()
    );
}
