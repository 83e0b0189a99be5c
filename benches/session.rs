//! What binding a tenant costs: `cargo bench --all-features --bench session`.
//!
//! On a throwaway server of its own (`RLS_TEST_PG_VERSION` chooses the major version), one table of 1M rows and 1000
//! tenants; once over loopback and once through a proxy that adds 1 ms each way. All ways of asking for one row take
//! turns within each round, so that whatever else the machine does falls on all of them. Each line is
//! `ratio <name> <value>`, the median over the rounds: throughput of the bound one-shot over the other way's, or time of
//! the policy over the hand-written WHERE's.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at any error"
)]

mod items;
#[path = "../tests/support/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use rls_tool::session::{SessionConfig, Statements, TenantPool};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

const ROUNDS: usize = 21;
const TURN: Duration = Duration::from_millis(250);
const POLICY: &str = "create policy bench on bench.items for all to bench_app \
                      using (tenant_id = nullif(current_setting('app.current_tenant', true), ''))";
const BIND: &str = "select set_config('app.current_tenant', $1, true)";
const POINT: &str = "select amount from bench.items where id = $1";
const POINT_BY_HAND: &str = "select amount from bench.items where tenant_id = $1 and id = $2";

fn main() {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (server, admin) = threads.block_on(items::start());
    threads.block_on(admin.batch_execute(POLICY)).unwrap();
    println!(
        "PostgreSQL {}, {ROUNDS} rounds of {TURN:?}, interleaved",
        server.version()
    );
    let port = server.options().config().get_ports()[0];
    threads.block_on(one_shots("loopback", port, 16));
    let proxy = proxy::Proxy::start(port);
    proxy.delay(Duration::from_millis(1));
    // Fewer, so that the network is what is waited for.
    threads.block_on(one_shots("1ms", proxy.port(), 4));
    threads.block_on(policy(port));
    allocations(port);
    threads.block_on(server.stop());
}

fn url(role: &str, port: u16) -> String {
    format!("postgres://{role}@127.0.0.1:{port}/postgres?sslmode=disable")
}

/// The ways of asking for one row.
#[derive(Clone)]
enum Way {
    /// What is measured: one call of a session.
    OneShot(TenantPool),
    /// BEGIN, set_config, query and COMMIT, each waited for.
    Naive(Pool),
    /// The statement alone, by a role without row security.
    Autocommit(Pool),
    /// BEGIN, query and COMMIT, each waited for, by a role without row security.
    Transaction(Pool),
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::OneShot(_) => "one-shot",
            Self::Naive(_) => "naive-wrapper",
            Self::Autocommit(_) => "autocommit-without-rls",
            Self::Transaction(_) => "transaction-without-rls",
        }
    }

    async fn once(&self, tenant: &str, id: &str) {
        let row = match self {
            Self::OneShot(pool) => pool.tenant(tenant).query_one(POINT, &[&id]).await.unwrap(),
            Self::Naive(pool) => {
                let mut client = pool.get().await.unwrap();
                let tx = client.transaction().await.unwrap();
                let bind = tx.prepare_cached(BIND).await.unwrap();
                tx.query_one(&bind, &[&tenant]).await.unwrap();
                let statement = tx.prepare_cached(POINT).await.unwrap();
                let row = tx.query_one(&statement, &[&id]).await.unwrap();
                tx.commit().await.unwrap();
                row
            }
            Self::Autocommit(pool) => {
                let client = pool.get().await.unwrap();
                let statement = client.prepare_cached(POINT_BY_HAND).await.unwrap();
                client.query_one(&statement, &[&tenant, &id]).await.unwrap()
            }
            Self::Transaction(pool) => {
                let mut client = pool.get().await.unwrap();
                let tx = client.transaction().await.unwrap();
                let statement = tx.prepare_cached(POINT_BY_HAND).await.unwrap();
                let row = tx.query_one(&statement, &[&tenant, &id]).await.unwrap();
                tx.commit().await.unwrap();
                row
            }
        };
        assert!(row.get::<_, i32>(0) >= 0);
    }
}

async fn ways(port: u16, size: usize) -> Vec<Way> {
    let raw = |role: &str| {
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(url(role, port).parse().unwrap(), NoTls, config);
        Pool::builder(manager).max_size(size).build().unwrap()
    };
    let sessions = TenantPool::builder()
        .url(url("bench_app", port))
        .max_size(size)
        .config(SessionConfig::new().statements(Statements::Named))
        .build()
        .await
        .unwrap();
    vec![
        Way::OneShot(sessions),
        Way::Naive(raw("bench_app")),
        Way::Autocommit(raw("bench_plain")),
        Way::Transaction(raw("bench_plain")),
    ]
}

/// A tenant and one of its rows.
fn key(number: usize) -> (String, String) {
    let (tenant, row) = (number % 1000, number / 7 % 1000);
    (
        format!("ten_{tenant:026}"),
        format!("usr_{:026}", tenant * 1000 + row),
    )
}

async fn one_shots(network: &str, port: u16, tasks: usize) {
    let ways = ways(port, tasks).await;
    let mut rates = vec![Vec::new(); ways.len()];
    for round in 0..=ROUNDS {
        for (index, way) in ways.iter().enumerate() {
            let rate = throughput(way, tasks).await;
            // The first round opens the connections and prepares the statements.
            if round > 0 {
                rates[index].push(rate);
            }
        }
    }
    for (index, way) in ways.iter().enumerate() {
        println!(
            "rate {network}/{} {:.0} per second",
            way.name(),
            median(rates[index].clone())
        );
    }
    for (index, way) in ways.iter().enumerate().skip(1) {
        let ratios = rates[0]
            .iter()
            .zip(&rates[index])
            .map(|(one, other)| one / other)
            .collect();
        println!(
            "ratio {network}/one-shot-over-{} {:.3}",
            way.name(),
            median(ratios)
        );
    }
}

async fn throughput(way: &Way, tasks: usize) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (way, done, next) = (way.clone(), Arc::clone(&done), Arc::clone(&next));
        running.spawn(async move {
            while begun.elapsed() < TURN {
                let (tenant, id) = key(next.fetch_add(7919, Ordering::Relaxed));
                way.once(&tenant, &id).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(finished) = running.join_next().await {
        finished.unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let done = done.load(Ordering::Relaxed) as f64;
    done / begun.elapsed().as_secs_f64()
}

/// The policy itself, apart from any protocol: the same rows by the policy and by a WHERE of a role without policies.
async fn policy(port: u16) {
    let connect = async |role: &str| {
        let (client, connection) = tokio_postgres::connect(&url(role, port), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let (policed, plain) = (connect("bench_app").await, connect("bench_plain").await);
    let (tenant, id) = key(500);
    let bind = format!("begin; set local app.current_tenant = '{tenant}'");
    policed.batch_execute(&bind).await.unwrap();
    plain.batch_execute("begin").await.unwrap();
    for (name, select, condition, times) in [
        ("point", "select amount", "id = $1", 400),
        ("range-1000-rows", "select id, amount, note", "$1 <> ''", 8),
        (
            "aggregate-of-1M",
            "select sum(amount), count(*), min(created_at)",
            "$1 <> ''",
            40,
        ),
    ] {
        let by_policy = format!("{select} from bench.items where {condition}");
        let by_hand = format!("{by_policy} and tenant_id = '{tenant}'");
        let by_policy = (
            &policed,
            policed.prepare_typed(&by_policy, &[Type::TEXT]).await.unwrap(),
        );
        let by_hand = (
            &plain,
            plain.prepare_typed(&by_hand, &[Type::TEXT]).await.unwrap(),
        );
        let (mut ratios, mut times_by_hand) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            // Who goes first takes turns as well.
            let mut spent = [Duration::ZERO; 2];
            for turn in 0..2 {
                let which = (round + turn) % 2;
                let (client, statement) = if which == 0 { &by_policy } else { &by_hand };
                spent[which] = timed(client, statement, &id, times).await;
            }
            if round > 0 {
                ratios.push(spent[0].as_secs_f64() / spent[1].as_secs_f64());
                times_by_hand.push(spent[1].as_secs_f64() / f64::from(times));
            }
        }
        println!("time policy/{name} by hand {:.1} µs", median(times_by_hand) * 1e6);
        println!("ratio policy/{name} {:.3}", median(ratios));
    }
}

async fn timed(client: &Client, statement: &tokio_postgres::Statement, id: &str, times: u32) -> Duration {
    let params: &[&(dyn ToSql + Sync)] = &[&id];
    let begun = Instant::now();
    for _ in 0..times {
        assert!(!client.query(statement, params).await.unwrap().is_empty());
    }
    begun.elapsed()
}

/// Allocations of one call, those of the connection's task among them: everything runs on one thread.
fn allocations(port: u16) {
    let thread = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ways = thread.block_on(ways(port, 1));
    let (tenant, id) = key(500);
    for way in ways {
        let calls = |count: u64| {
            thread.block_on(async {
                for _ in 0..count {
                    way.once(&tenant, &id).await;
                }
            });
        };
        calls(100);
        let counted = allocation_counter::measure(|| calls(1000));
        println!(
            "allocations {} {} of {} bytes in all",
            way.name(),
            counted.count_total / 1000,
            counted.bytes_total / 1000
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
