//! Many tenants' tasks at once while connections break: every row that is seen is checked for its tenant, and every
//! commit that was acknowledged is looked for afterwards.
//!
//! A row says twice whose it is: the task writes the tenant into `id`, the binding fills in `tenant_id`. Each statement
//! also carries a number that its answer must repeat, because a pooler may hand one statement another's answer.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "each target uses a part of this"
)]

use std::collections::BTreeSet;
use std::future::Future;
use std::ops::AddAssign;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::proxy::{Proxy, Way};
use crate::tenants::World;

/// How long, how many, and which faults.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub time: Duration,
    pub tenants: usize,
    pub tasks: usize,
    pub pause_between_faults: Duration,
}

/// What is put to the test.
pub trait Subject: Send + Sync + 'static {
    /// Runs `select` for the tenant; it takes the number `$1::int8` and gives rows of (number, tenant_id, id).
    fn read(&self, tenant: &str, number: i64) -> impl Future<Output = Option<Vec<Seen>>> + Send;

    /// Inserts a row; whether the commit was acknowledged.
    fn write(&self, tenant: &str, id: &str) -> impl Future<Output = bool> + Send;

    /// Reads, inserts, and reads again in one transaction.
    fn both(
        &self,
        tenant: &str,
        id: &str,
        number: i64,
    ) -> impl Future<Output = (Option<Vec<Seen>>, bool)> + Send;
}

/// What every subject reads and writes with.
pub const READ: &str = "select $1::int8, tenant_id, id from shop.items order by id limit 20";
pub const WRITE: &str = "insert into shop.items (id) values ($1)";

/// A row as it was seen.
#[derive(Debug)]
pub struct Seen {
    pub number: i64,
    pub tenant: String,
    pub id: String,
}

impl From<&tokio_postgres::Row> for Seen {
    fn from(row: &tokio_postgres::Row) -> Self {
        Self {
            number: row.get(0),
            tenant: row.get(1),
            id: row.get(2),
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub operations: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub rows: u64,
    pub faults: u64,
    pub acknowledged: u64,
    pub foreign: u64,
    pub lost: u64,
    /// The first foreign row, for the message.
    pub example: Option<String>,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.rows += other.rows;
        self.faults += other.faults;
        self.acknowledged += other.acknowledged;
        self.foreign += other.foreign;
        self.lost += other.lost;
        self.example = self.example.take().or(other.example);
    }
}

impl Outcome {
    /// Says what happened, and fails unless enough of everything did and nothing went wrong.
    pub fn expect_isolation(&self, name: &str) {
        self.print(name);
        assert!(
            self.rows > 100 && self.acknowledged > 10,
            "the soak did no work: {self:?}"
        );
        assert!(
            self.faults > 0 && self.cancelled > 0 && self.failed > 0,
            "nothing disturbed it: {self:?}"
        );
        assert_eq!((self.foreign, self.lost), (0, 0), "{self:?}");
    }

    /// The same for a wrapper that must leak.
    pub fn expect_leaks(&self, name: &str) {
        self.print(name);
        assert!(
            self.foreign > 0,
            "the control does not leak, so the soak proves nothing: {self:?}"
        );
    }

    fn print(&self, name: &str) {
        println!(
            "soak {name}: {} operations ({} failed, {} cancelled), {} faults, {} rows seen, {} commits acknowledged, \
             {} foreign rows, {} lost commits",
            self.operations,
            self.failed,
            self.cancelled,
            self.faults,
            self.rows,
            self.acknowledged,
            self.foreign,
            self.lost
        );
    }
}

/// Runs the tasks and the faults, and then looks at what is in the table.
pub async fn run<S: Subject>(world: &World, subject: S, proxy: &Proxy, plan: Plan) -> Outcome {
    let (subject, end) = (Arc::new(subject), Instant::now() + plan.time);
    let mut tasks = tokio::task::JoinSet::new();
    for tenant in 0..plan.tenants {
        for task in 0..plan.tasks {
            let worker = Worker {
                subject: Arc::clone(&subject),
                tenant: format!("t{tenant}"),
                name: format!("t{tenant}/{task}"),
                dice: Dice::new((tenant * plan.tasks + task) as u64),
                outcome: Outcome::default(),
                acknowledged: Vec::new(),
            };
            tasks.spawn(worker.work(end));
        }
    }
    let mut total = Outcome {
        faults: disturb(world, proxy, plan, end).await,
        ..Outcome::default()
    };
    let mut acknowledged = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (outcome, ids) = done.unwrap();
        total += outcome;
        acknowledged.extend(ids);
    }
    total.acknowledged = acknowledged.len() as u64;
    let rows = world
        .admin
        .query("select tenant_id, id from shop.items", &[])
        .await
        .unwrap();
    let mut stored = BTreeSet::new();
    for row in &rows {
        let (tenant, id): (String, String) = (row.get(0), row.get(1));
        total.judge(&tenant, &id, "stored");
        stored.insert(id);
    }
    total.lost = acknowledged.iter().filter(|id| !stored.contains(*id)).count() as u64;
    total
}

impl Outcome {
    /// A row must be of the tenant that its id names.
    fn judge(&mut self, tenant: &str, id: &str, how: &str) {
        if !id.starts_with(&format!("{tenant}/")) && !id.starts_with(&format!("{tenant}-")) {
            self.foreign += 1;
            self.example
                .get_or_insert_with(|| format!("{how} for {tenant}: {id}"));
        }
    }
}

struct Worker<S> {
    subject: Arc<S>,
    tenant: String,
    name: String,
    dice: Dice,
    outcome: Outcome,
    acknowledged: Vec<String>,
}

impl<S: Subject> Worker<S> {
    async fn work(mut self, end: Instant) -> (Outcome, Vec<String>) {
        let subject = Arc::clone(&self.subject);
        for turn in 0_i64.. {
            if Instant::now() >= end {
                break;
            }
            self.outcome.operations += 1;
            let tenant = self.tenant.clone();
            let id = format!("{}/{turn}", self.name);
            match self.dice.below(10) {
                0..=5 => {
                    let read = self.perhaps_cancelled(subject.read(&tenant, turn)).await;
                    self.saw(turn, read.flatten());
                }
                6..=7 => {
                    let written = self.perhaps_cancelled(subject.write(&tenant, &id)).await;
                    self.wrote(id, written.unwrap_or(false));
                }
                _ => {
                    let both = self.perhaps_cancelled(subject.both(&tenant, &id, turn)).await;
                    let (read, written) = both.unwrap_or_default();
                    self.saw(turn, read);
                    self.wrote(id, written);
                }
            }
        }
        (self.outcome, self.acknowledged)
    }

    /// Every fourth operation is dropped after a random number of polls, or after a random time.
    async fn perhaps_cancelled<T>(&mut self, operation: impl Future<Output = T>) -> Option<T> {
        let done = match self.dice.below(8) {
            0 => polled(operation, 1 + self.dice.below(5)).await,
            1 => {
                let limit = Duration::from_micros(self.dice.below(3000));
                tokio::time::timeout(limit, operation).await.ok()
            }
            _ => return Some(operation.await),
        };
        if done.is_none() {
            self.outcome.cancelled += 1;
        }
        done
    }

    fn saw(&mut self, number: i64, rows: Option<Vec<Seen>>) {
        let Some(rows) = rows else {
            self.outcome.failed += 1;
            return;
        };
        for row in rows {
            self.outcome.rows += 1;
            let tenant = self.tenant.clone();
            self.outcome.judge(&tenant, &row.id, "seen");
            if row.tenant != tenant || row.number != number {
                self.outcome.foreign += 1;
                let example = format!("{} got another's answer: {row:?}", self.name);
                self.outcome.example.get_or_insert(example);
            }
        }
    }

    fn wrote(&mut self, id: String, acknowledged: bool) {
        if acknowledged {
            self.acknowledged.push(id);
        } else {
            self.outcome.failed += 1;
        }
    }
}

/// Random numbers (SplitMix64), other ones in every run.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        Self(seed ^ u64::try_from(now).unwrap())
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Polls a future so many times and drops it.
pub async fn polled<T>(operation: impl Future<Output = T>, mut polls: u64) -> Option<T> {
    let mut operation = pin!(operation);
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(output) = operation.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        polls -= 1;
        if polls == 0 {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Until the end: kills a backend, cuts a connection at a random message, or cuts all of them.
async fn disturb(world: &World, proxy: &Proxy, plan: Plan, end: Instant) -> u64 {
    let (mut killed, mut dice) = (0, Dice::new(u64::MAX));
    while Instant::now() + plan.pause_between_faults < end {
        tokio::time::sleep(plan.pause_between_faults).await;
        let messages = usize::try_from(dice.below(12)).unwrap();
        match dice.below(10) {
            0..=3 => {
                let sql = "select pg_terminate_backend(pid) from pg_stat_activity \
                           where datname = current_database() and usename = $1 order by random() limit 1";
                killed += world.admin.query(sql, &[&world.role]).await.unwrap().len() as u64;
            }
            4..=6 => proxy.cut_after(Way::Request, messages),
            7..=8 => proxy.cut_after(Way::Answer, messages),
            _ => proxy.cut_all(),
        }
    }
    killed + proxy.cuts() as u64
}
