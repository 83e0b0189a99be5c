//! How long a whole verification with attacks takes: `cargo bench --bench attack`.
//!
//! The reference schema, and generated tables with foreign keys (1,000; `RLS_BENCH_TABLES` says otherwise), on a throwaway
//! server of its own (`RLS_TEST_PG_VERSION` chooses the major version). Each line is `<what> <seconds> s, <attacks> attacks,
//! <doors> doors, <verdict>, peak <memory of this process> MB`; the limits are 2 s and 60 s on two cores, and the process
//! fails where one is not kept.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at any error"
)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rls_tool::audit::{Audit, DoorVerdict, Report};
use rls_tool::ephemeral::Server;
use tokio_postgres::Client;

/// Verifications of the reference schema, of which the median counts.
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() {
    let version = std::env::var("RLS_TEST_PG_VERSION")
        .ok()
        .map(|text| text.parse().unwrap());
    let server = Server::builder().version(version).start().await.unwrap();
    let admin = server.options().connect().await.unwrap();
    for folder in ["migrations", "policies"] {
        for sql in reference(folder) {
            admin.batch_execute(&sql).await.unwrap();
        }
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        // A session that has never set the tenant can be had only once.
        let mut client = server.options().connect().await.unwrap();
        let (time, report) = verify(&mut client, "app_user").await;
        assert_eq!(report.summary.leaks, 0);
        times.push((time, report));
    }
    times.sort_by_key(|(time, _)| *time);
    let (time, report) = &times[ROUNDS / 2];
    let mut kept = say("reference schema", *time, report, Duration::from_secs(2));

    let count = std::env::var("RLS_BENCH_TABLES").map_or(1000, |text| text.parse().unwrap());
    admin.batch_execute("CREATE DATABASE generated").await.unwrap();
    let mut client = server
        .options()
        .with_database("generated")
        .connect()
        .await
        .unwrap();
    client.batch_execute(&generated(count)).await.unwrap();
    let (time, report) = verify(&mut client, "bench_app").await;
    let held = |verdict| report.doors.iter().filter(|door| door.verdict == verdict).count();
    assert_eq!(held(DoorVerdict::Leak), 0);
    kept &= say(&format!("{count} tables"), time, &report, Duration::from_mins(1));
    drop((admin, client));
    server.stop().await;
    assert!(kept, "slower than it should be");
}

async fn verify(client: &mut Client, role: &str) -> (Duration, Report) {
    let start = Instant::now();
    let report = Audit::new().role(role).run(client).await.unwrap();
    (start.elapsed(), report)
}

fn say(what: &str, time: Duration, report: &Report, limit: Duration) -> bool {
    let summary = &report.summary;
    println!(
        "{what} {:.2} s, {} attacks, {} doors ({} held, {} proven, {} undecided), {:?}, peak {} MB",
        time.as_secs_f64(),
        summary.attacks_run,
        summary.doors,
        summary.held,
        summary.proven,
        summary.undecided,
        report.verdict,
        peak()
    );
    time <= limit
}

/// The most memory that this process has held, in MB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// The files of a folder of the reference schema, in order.
fn reference(folder: &str) -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort_by_key(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = name
            .trim_start_matches('V')
            .split('_')
            .next()
            .and_then(|n| n.parse().ok());
        (number.unwrap_or(0_u32), name)
    });
    files
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// Tables in a tree: each refers to the tenants and to the table of half its number.
fn generated(count: usize) -> String {
    let mut sql = String::from(
        "CREATE ROLE bench_app NOLOGIN;
         CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
         ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;
         CREATE POLICY tenant ON public.tenants USING (id = nullif(current_setting('app.current_tenant', true), '')::uuid);
         GRANT SELECT ON public.tenants TO bench_app;",
    );
    for table in 1..count {
        let parent = match table / 2 {
            0 => String::new(),
            parent => format!(
                "parent_id uuid NOT NULL, FOREIGN KEY (tenant_id, parent_id) REFERENCES public.t{parent} (tenant_id, id),"
            ),
        };
        write!(
            sql,
            "CREATE TABLE public.t{table} (
                 id uuid NOT NULL DEFAULT gen_random_uuid(),
                 tenant_id uuid NOT NULL REFERENCES public.tenants (id),
                 {parent}
                 email text NOT NULL CHECK (email ~ '^[^@]+@[^@]+$'),
                 amount numeric(10, 2) NOT NULL CHECK (amount > 0),
                 state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'paid')),
                 created_at timestamptz NOT NULL DEFAULT now(),
                 PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, email));
             ALTER TABLE public.t{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             CREATE POLICY tenant ON public.t{table}
                 USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
             GRANT SELECT, INSERT, UPDATE, DELETE ON public.t{table} TO bench_app;"
        )
        .unwrap();
    }
    sql
}
