//! Every operation, dropped at every poll: the next user of the connection finds no transaction, no tenant, the original
//! role, and the data show the operation whole or not at all.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use postgres_types::Type;
use rls_tool::session::SessionConfig;
use rls_tool::{Error, TenantId, TenantPool, TenantSession};
use tokio_postgres::{Client, NoTls};

use crate::shop::{NAMES, Shop, texts};
use crate::support::run;

/// Polls the future `polls` times and drops it: at once after the last poll, or only when it is woken again, so that the
/// answer has arrived and nobody has looked at it. Gives whether it was done before.
async fn cut<F: Future>(future: F, polls: usize, when_woken: bool) -> bool {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 && !when_woken => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

type Operation =
    for<'p> fn(&'p TenantPool, TenantId, i32) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'p>>;

/// Inserts two notes in a transaction that uses one thing that a transaction offers in between.
macro_rules! operations {
    ($($name:ident: |$tx:ident| $body:expr;)*) => {
        &[$((stringify!($name), |pool, tenant, key| {
            Box::pin(async move {
                #[allow(unused_mut, reason = "only some operations need it")]
                let mut $tx = pool.tenant(&tenant).begin().await?;
                $tx.execute("insert into notes values ($1, 'first')", &[&key]).await?;
                $body;
                $tx.execute("insert into notes values ($1, 'second')", &[&-key]).await?;
                $tx.commit().await
            })
        })),*]
    };
}

const IN_TRANSACTIONS: &[(&str, Operation)] = operations! {
    nothing: |_tx| {};
    query: |tx| tx.query(NAMES, &[]).await?;
    prepare: |tx| tx.prepare("select 1").await?;
    batch: |tx| tx.batch_execute("select 1; set local work_mem = '5MB'; create temp table mine (id int)").await?;
    portal: |tx| {
        let portal = tx.bind("select g from generate_series(1, 100) g", &[]).await?;
        tx.query_portal(&portal, 10).await?;
    };
    stream: |tx| {
        let mut rows = tx.query_raw("select g, repeat('x', 1000) from generate_series(1, 500) g", &[]).await?;
        while let Some(row) = rows.next().await { row?; }
    };
    copy_in: |tx| {
        let mut sink = tx.copy_in("copy notes from stdin").await?;
        sink.send(Bytes::from_static(b"0\tzero\n")).await?;
        sink.finish().await?;
        tx.execute("delete from notes where id = 0", &[]).await?;
    };
    copy_out: |tx| {
        let mut data = tx.copy_out("copy (select g, repeat('x', 1000) from generate_series(1, 500) g) to stdout").await?;
        while let Some(data) = data.next().await { data?; }
    };
    savepoint: |tx| {
        let nested = tx.savepoint().await?;
        nested.execute("update notes set note = 'nested'", &[]).await?;
        nested.rollback().await?;
        let nested = tx.savepoint().await?;
        nested.execute("update notes set note = note", &[]).await?;
        nested.commit().await?;
    };
};

const WHOLE: &[(&str, Operation)] = &[
    ("one_shot", |pool, tenant, key| {
        Box::pin(async move {
            let sql = "insert into notes values ($1, 'first'), ($2, 'second')";
            pool.tenant(&tenant).execute(sql, &[&key, &-key]).await.map(drop)
        })
    }),
    ("one_shot_typed", |pool, tenant, key| {
        Box::pin(async move {
            let sql = "insert into notes values ($1, 'first'), (-$1, 'second') returning id";
            pool.tenant(&tenant)
                .query_typed(sql, &[(&key, Type::INT4)])
                .await
                .map(drop)
        })
    }),
    ("rollback", |pool, tenant, key| {
        Box::pin(async move {
            let tx = pool.tenant(&tenant).begin().await?;
            tx.execute("insert into notes values ($1, 'undone')", &[&key])
                .await?;
            tx.rollback().await
        })
    }),
    ("run", |pool, tenant, key| {
        Box::pin(async move {
            let scope = pool.tenant(&tenant);
            scope
                .run(|tx| {
                    Box::pin(async move {
                        tx.execute("insert into notes values ($1, 'first')", &[&key])
                            .await?;
                        tx.execute("insert into notes values ($1, 'second')", &[&-key])
                            .await
                            .map(drop)
                    })
                })
                .await
        })
    }),
];

/// What the next user of the only connection finds, as the raw connection says it.
async fn assert_clean(raw: &deadpool_postgres::Pool, what: &str) {
    let client = raw.get().await.unwrap();
    let sql = "select coalesce(current_setting('app.current_tenant', true), ''), current_user::text, \
               current_setting('work_mem') = '4MB', \
               to_regclass('pg_temp.mine') is null and not exists (select from pg_cursors where name <> '')";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "", "{what}: a tenant is bound");
    assert_eq!(row.get::<_, &str>(1), "app_user", "{what}: another role");
    assert!(row.get::<_, bool>(2), "{what}: a setting is left");
    assert!(
        row.get::<_, bool>(3),
        "{what}: a temporary table or cursor is left"
    );
    // Within a transaction now() stands still.
    let mut now = Vec::new();
    for _ in 0..2 {
        now.push(
            client
                .query_one("select now()::text", &[])
                .await
                .unwrap()
                .get::<_, String>(0),
        );
    }
    assert_ne!(now[0], now[1], "{what}: a transaction is open");
}

fn raw_pool(shop: &Shop) -> deadpool_postgres::Pool {
    let mut config = shop.database.options().config().clone();
    config.user("app_user");
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    deadpool_postgres::Pool::builder(manager)
        .max_size(1)
        .build()
        .unwrap()
}

/// Cuts the operation at every poll until it runs through, and looks at the connection after each cut.
async fn cut_everywhere(shop: &Shop, admin: &Client, name: &str, operation: Operation) -> usize {
    let raw = raw_pool(shop);
    let pool = TenantPool::builder().pool(raw.clone()).build().await.unwrap();
    let mut cuts = 0;
    for when_woken in [false, true] {
        for polls in 0.. {
            assert!(polls < 500, "{name} never ends");
            cuts += 1;
            let what = format!("{name}, dropped after poll {polls} (woken: {when_woken})");
            let key = i32::try_from(cuts).unwrap();
            let done = cut(operation(&pool, shop.a, key), polls, when_woken).await;
            assert_clean(&raw, &what).await;
            let names = pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap();
            assert_eq!(texts(&names), ["b1"], "{what}");
            let sql = "select count(*) from notes where abs(id) = $1";
            let notes: i64 = admin.query_one(sql, &[&key]).await.unwrap().get(0);
            assert!(
                [0, 2].contains(&notes),
                "{what}: half of a transaction was committed"
            );
            if done {
                break;
            }
        }
    }
    cuts
}

#[tokio::test]
async fn every_operation_dropped_at_every_poll_leaves_nothing_behind() {
    let shop = Shop::open("cancel_all").await;
    let admin = shop.database.admin().await;
    let mut cuts = 0;
    for (name, operation) in IN_TRANSACTIONS.iter().chain(WHOLE) {
        run(&admin, "truncate notes").await;
        cuts += cut_everywhere(&shop, &admin, name, *operation).await;
    }
    assert!(cuts > 100, "only {cuts} cuts: what was cut?");
}

#[tokio::test]
async fn twin_a_wrapper_without_guards_leaves_its_transaction_open() {
    let shop = Shop::open("cancel_twin").await;
    let raw = raw_pool(&shop);
    let naive = async |tenant: TenantId| {
        let client = raw.get().await.unwrap();
        client.batch_execute("begin").await.unwrap();
        let sql = "select set_config('app.current_tenant', $1, true)";
        client.query(sql, &[&tenant]).await.unwrap();
        client.query(NAMES, &[]).await.unwrap();
        client.batch_execute("commit").await.unwrap();
    };
    let mut leaks = 0;
    for polls in 0..50 {
        if cut(naive(shop.a), polls, true).await {
            break;
        }
        let client = raw.get().await.unwrap();
        // The next user of the connection, who bound nothing.
        leaks += usize::from(!client.query(NAMES, &[]).await.unwrap().is_empty());
        client.batch_execute("rollback").await.unwrap();
    }
    assert!(leaks > 0, "without guards tenant A's rows must be seen");
}

#[tokio::test]
async fn a_client_of_ones_own_is_clean_after_every_cut() {
    let shop = Shop::open("cancel_client").await;
    let mut raw = shop.raw().await;
    for when_woken in [false, true] {
        for polls in 0..200 {
            let done = {
                let session = TenantSession::over(&mut raw, SessionConfig::new()).await.unwrap();
                let work = async {
                    let mut tx = session.tenant(&shop.a).begin().await?;
                    tx.execute("insert into notes values (7, 'x')", &[]).await?;
                    let nested = tx.savepoint().await?;
                    nested.query(NAMES, &[]).await?;
                    nested.commit().await?;
                    tx.rollback().await
                };
                let done = cut(work, polls, when_woken).await;
                let names = session.tenant(&shop.b).query(NAMES, &[]).await.unwrap();
                assert_eq!(texts(&names), ["b1"], "{polls}");
                done
            };
            assert!(raw.query(NAMES, &[]).await.unwrap().is_empty(), "{polls}: bound");
            assert!(
                raw.query("select 1 from notes", &[]).await.unwrap().is_empty(),
                "{polls}: committed"
            );
            if done {
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_session_goes_on_after_an_abandoned_first_statement() {
    let shop = Shop::open("cancel_first").await;
    let pool = shop.pool(1).await;
    let tx = pool.tenant(&shop.a).begin().await.unwrap();
    // BEGIN and the binding were sent, and nobody saw their answers.
    assert!(!cut(tx.query(NAMES, &[]), 1, false).await);
    assert_eq!(texts(&tx.query(NAMES, &[]).await.unwrap()), ["a1", "a2"]);
    tx.commit().await.unwrap();
    // Two at once, from the first on.
    let tx = pool.tenant(&shop.b).begin().await.unwrap();
    let (first, second) = tokio::join!(tx.query(NAMES, &[]), tx.query(NAMES, &[]));
    assert_eq!(
        (texts(&first.unwrap()), texts(&second.unwrap())),
        (vec!["b1".to_owned()], vec!["b1".to_owned()])
    );
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_connection_with_a_running_statement_serves_nobody_before_it_ends() {
    let shop = Shop::open("cancel_busy").await;
    let pool = shop.pool(2).await;
    let slow = pool.tenant(&shop.a);
    let slow = slow.query("select pg_sleep(1)", &[]);
    assert!(
        tokio::time::timeout(Duration::from_millis(200), slow)
            .await
            .is_err()
    );
    // The other connection serves at once, time and again.
    for _ in 0..5 {
        let started = std::time::Instant::now();
        pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap();
        assert!(
            started.elapsed() < Duration::from_millis(500),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn commit_after_an_abandoned_failing_statement_says_that_nothing_was_committed() {
    let shop = Shop::open("cancel_commit").await;
    let pool = shop.pool(1).await;
    let tx = pool.tenant(&shop.a).begin().await.unwrap();
    tx.execute("insert into notes values (1, 'lost')", &[])
        .await
        .unwrap();
    assert!(!cut(tx.query_typed("select 1/0", &[]), 1, false).await);
    let error = tx.commit().await.unwrap_err();
    assert!(
        error.to_string().contains("nothing was committed"),
        "{}",
        error.chain()
    );
    let notes = pool
        .tenant(&shop.a)
        .query("select 1 from notes", &[])
        .await
        .unwrap();
    assert!(notes.is_empty());
}
