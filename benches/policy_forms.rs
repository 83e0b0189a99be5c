//! Which form of the tenant policy costs what: `cargo bench --bench policy_forms`.
//!
//! One table of 1M rows and 1000 tenants on a throwaway server of its own (`RLS_TEST_PG_VERSION` chooses the major
//! version). The policy of the one table is replaced round by round, so that every form meets the same data in the
//! same cache, interleaved. The yardstick is a role without row security that writes the WHERE by hand. Each line is
//! `ratio <workload>/<form> <median time ÷ median time of the yardstick>`; docs/policies.md keeps the table.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at any error"
)]

mod items;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

const ROUNDS: usize = 15;
const TENANT: &str = "ten_00000000000000000000000500";
const ROW: &str = "usr_00000000000000000000500042";
const INLINE: &str = "nullif(current_setting('app.current_tenant', true), '')";

/// The forms: name, what stands right of `tenant_id =`. The first is the yardstick.
const FORMS: &[(&str, &str)] = &[
    ("hand-written-where", ""),
    ("inline", INLINE),
    (
        "inline-without-nullif",
        "current_setting('app.current_tenant', true)",
    ),
    (
        "initplan",
        "(select nullif(current_setting('app.current_tenant', true), ''))",
    ),
    ("sql-helper", "bench.inlined_tenant()"),
    ("sql-helper-with-set", "bench.set_tenant()"),
    ("plpgsql-helper", "bench.plpgsql_tenant()"),
    ("inline-policy-per-command", INLINE),
];

#[tokio::main]
async fn main() {
    let (server, admin) = items::start().await;
    let unpoliced = server
        .options()
        .as_role("bench_plain", None)
        .connect()
        .await
        .unwrap();
    let policed = server
        .options()
        .as_role("bench_app", None)
        .connect()
        .await
        .unwrap();
    println!("PostgreSQL {}, {ROUNDS} rounds, interleaved", server.version());

    let mut times: BTreeMap<(usize, usize), Vec<Duration>> = BTreeMap::new();
    for round in 0..=ROUNDS {
        for (form, (name, expression)) in FORMS.iter().enumerate() {
            let client = if form == 0 { &unpoliced } else { &policed };
            if form > 0 {
                set_policy(&admin, name, expression).await;
            }
            for (workload, (_, run)) in workloads(form == 0).iter().enumerate() {
                // A scan takes seconds in some forms, and varies little: every third round will do.
                if !run.before.is_empty() && round % 3 != 0 {
                    continue;
                }
                let time = run.measure(client).await;
                // The first round only warms the cache.
                if round > 0 {
                    times.entry((workload, form)).or_default().push(time);
                }
            }
        }
    }
    for (workload, (name, run)) in workloads(true).iter().enumerate() {
        let median = |form| {
            let mut list = times[&(workload, form)].clone();
            list.sort();
            list[list.len() / 2].as_secs_f64() / f64::from(run.times)
        };
        println!("time {name}/{} {:.1} µs", FORMS[0].0, median(0) * 1e6);
        for (form, (form_name, _)) in FORMS.iter().enumerate().skip(1) {
            println!("ratio {name}/{form_name} {:.3}", median(form) / median(0));
        }
    }
}

/// One workload: a statement run `times` over in one bound transaction, which is rolled back.
struct Run {
    before: &'static str,
    sql: String,
    prepared: bool,
    times: u32,
}

/// The workloads by name. Unpoliced, the tenant stands in the statement.
fn workloads(unpoliced: bool) -> Vec<(&'static str, Run)> {
    let tenant = if unpoliced {
        format!("tenant_id = '{TENANT}'")
    } else {
        "true".to_owned()
    };
    let point = format!("select amount from bench.items where {tenant} and id = $1");
    let sum = format!("select sum(amount) from bench.items where {tenant} and $1 <> ''");
    let insert = format!(
        "insert into bench.items (tenant_id, id, amount) \
         select '{TENANT}', 'new_' || n || $1, n from generate_series(1, 2000) n"
    );
    // What a policy costs where no index serves: each of the 1M rows is judged.
    let no_index = "set local enable_indexscan = off; set local enable_bitmapscan = off;";
    let run = |before, sql: &str, prepared, times| Run {
        before,
        sql: sql.to_owned(),
        prepared,
        times,
    };
    vec![
        ("point-prepared", run("", &point, true, 400)),
        ("point-unprepared", run("", &point, false, 400)),
        ("tenant-sum-1000-rows", run("", &sum, true, 20)),
        ("scan-1M-rows", run(no_index, &sum, true, 1)),
        ("insert-2000-rows", run("", &insert, true, 1)),
    ]
}

impl Run {
    async fn measure(&self, client: &Client) -> Duration {
        let begin = format!(
            "begin; set local app.current_tenant = '{TENANT}'; {}",
            self.before
        );
        client.batch_execute(&begin).await.unwrap();
        let statement = client.prepare_typed(&self.sql, &[Type::TEXT]).await.unwrap();
        // Past the custom plans that a prepared statement starts with, and past the change of policy.
        if self.sql.starts_with("insert") {
            self.once(client, &statement).await;
            client.batch_execute("rollback").await.unwrap();
            client.batch_execute(&begin).await.unwrap();
        } else if self.times > 1 {
            for _ in 0..8 {
                self.once(client, &statement).await;
            }
        }
        let start = Instant::now();
        for _ in 0..self.times {
            self.once(client, &statement).await;
        }
        let time = start.elapsed();
        client.batch_execute("rollback").await.unwrap();
        time
    }

    async fn once(&self, client: &Client, statement: &Statement) {
        if self.sql.starts_with("insert") {
            assert_eq!(client.execute(statement, &[&""]).await.unwrap(), 2000);
            return;
        }
        let rows = if self.prepared {
            client.query(statement, &[&ROW]).await.unwrap()
        } else {
            client
                .query_typed(&self.sql, &[(&ROW, Type::TEXT)])
                .await
                .unwrap()
        };
        assert_eq!(rows.len(), 1, "{}", self.sql);
    }
}

async fn set_policy(admin: &Client, name: &str, expression: &str) {
    let commands: &[&str] = if name == "inline-policy-per-command" {
        &["select", "insert", "update", "delete"]
    } else {
        &["all"]
    };
    let mut sql = String::from(
        "begin; drop policy if exists p_all on bench.items; drop policy if exists p_select on bench.items; \
         drop policy if exists p_insert on bench.items; drop policy if exists p_update on bench.items; \
         drop policy if exists p_delete on bench.items;",
    );
    for command in commands {
        let using = if *command == "insert" {
            String::new()
        } else {
            format!("using (tenant_id = {expression})")
        };
        let check = if matches!(*command, "select" | "delete") {
            String::new()
        } else {
            format!("with check (tenant_id = {expression})")
        };
        let policy = format!("create policy p_{command} on bench.items for {command} to bench_app");
        sql.extend([policy.as_str(), " ", &using, " ", &check, ";"]);
    }
    sql.push_str("commit");
    admin.batch_execute(&sql).await.unwrap();
}
