//! How long a static audit takes, proofs included: `cargo bench --bench audit`.
//!
//! Schemas of 100, 1,000 and 10,000 tables (four policies and an index each, a view per five) on a throwaway server of
//! its own (`RLS_TEST_PG_VERSION` chooses the major version). Prints for each size the median time, the time per table,
//! what the reading of the catalog takes of it, and the peak of the process's memory; then the ratio of the time per
//! table of the last two sizes, and the time from starting `rls-tool` to its first query. Sizes as arguments choose others.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at any error"
)]

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rls_tool::audit::{AttackMode, Audit, DoorVerdict};
use rls_tool::ephemeral::Server;

const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// Tables made in one transaction: each takes a few locks until its end.
const AT_ONCE: usize = 100;

#[tokio::main]
async fn main() {
    let chosen: Vec<usize> = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if chosen.is_empty() { SIZES.to_vec() } else { chosen };
    let version = std::env::var("RLS_TEST_PG_VERSION")
        .ok()
        .map(|text| text.parse().unwrap());
    let server = Server::builder()
        .version(version)
        .config("autovacuum", "off")
        .config("max_locks_per_transaction", "1024")
        .config("shared_buffers", "512MB")
        .start()
        .await
        .unwrap();
    let admin = server.options().connect().await.unwrap();
    admin.batch_execute("create role bench_app login").await.unwrap();
    let mut per_table = Vec::new();
    for size in sizes {
        let name = format!("audit_{size}");
        admin
            .batch_execute(&format!("create database {name}"))
            .await
            .unwrap();
        let options = server.options().with_database(&name);
        let mut client = options.connect().await.unwrap();
        generate(&client, size).await;
        let rounds = if size > 1_000 { 3 } else { 9 };
        let (mut whole, mut reading) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let audit = Audit::new().attack(AttackMode::Off);
            let start = Instant::now();
            drop(audit.read_catalog(&mut client).await.unwrap());
            reading.push(start.elapsed());
            let start = Instant::now();
            let report = audit.run(&mut client).await.unwrap();
            whole.push(start.elapsed());
            let tables = report
                .doors
                .iter()
                .filter(|door| door.kind == rls_tool::audit::DoorKind::Table);
            let open = tables.filter(|door| door.verdict != DoorVerdict::Proven).count();
            assert_eq!(open, 0, "a table is not proven");
            assert!(report.summary.proven >= 4 * size);
        }
        let (whole, reading) = (median(whole), median(reading));
        let micros = whole.as_secs_f64() * 1e6 / f64::from(u32::try_from(size).unwrap());
        per_table.push(micros);
        println!(
            "tables {size}: {:.3} s, {micros:.0} µs a table, of it reading {:.3} s, peak memory {} MB",
            whole.as_secs_f64(),
            reading.as_secs_f64(),
            peak_memory()
        );
        drop(client);
        admin
            .batch_execute(&format!("drop database {name} with (force)"))
            .await
            .unwrap();
    }
    if let [.., before, last] = per_table.as_slice() {
        println!("ratio per-table {:.2}", last / before);
    }
    first_query(&server).await;
}

async fn generate(client: &tokio_postgres::Client, size: usize) {
    client
        .batch_execute("create schema app; grant usage on schema app to bench_app")
        .await
        .unwrap();
    for first in (0..size).step_by(AT_ONCE) {
        let last = (first + AT_ONCE).min(size) - 1;
        let sql = include_str!("audit.sql")
            .replace("{first}", &first.to_string())
            .replace("{last}", &last.to_string());
        client.batch_execute(&sql).await.unwrap();
    }
    client.batch_execute("analyze pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_policy, pg_catalog.pg_depend").await.unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most memory that the process had, in MB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

/// From starting the command to its connection attempt, which a listener sees, and from there to the first answer.
async fn first_query(server: &Server) {
    let mut starts = Vec::new();
    for _ in 0..15 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "postgres://x@{}/x?sslmode=disable",
            listener.local_addr().unwrap()
        );
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rls-tool"))
            .args(["verify-isolation", "--attack", "off", "--database-url", &url])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 8]).unwrap();
        starts.push(start.elapsed());
        drop(stream);
        child.wait().unwrap();
    }
    let mut answers = Vec::new();
    for _ in 0..15 {
        let start = Instant::now();
        let client = server.options().connect().await.unwrap();
        client.simple_query("select 1").await.unwrap();
        answers.push(start.elapsed());
    }
    let (start, answer) = (median(starts), median(answers));
    println!(
        "first query: {:.1} ms to connect, {:.1} ms to the answer",
        start.as_secs_f64() * 1e3,
        (start + answer).as_secs_f64() * 1e3
    );
}
