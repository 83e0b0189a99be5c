//! One run at a time in a database: an advisory lock, asked for until a deadline.
//!
//! The lock is polled, each time in a transaction of its own. A run that *waited* inside the server would hold a
//! snapshot, and the run that holds the lock could wait for that snapshot in `CREATE INDEX CONCURRENTLY`: a deadlock.
//! It belongs to the transaction, so that it works through a pooler, and to the session only for a run that has to
//! leave its transaction for a file.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, IsolationLevel, Transaction};

use crate::error::{Error, ErrorKind, Result};

/// The lock's key: "rls-tool" in ASCII. Advisory locks are per database.
const KEY: i64 = i64::from_be_bytes(*b"rls-tool");

/// How long a run still waits for another one.
#[derive(Debug)]
pub(crate) struct Wait {
    limit: Duration,
    /// None: without limit.
    deadline: Option<Instant>,
    pause: Duration,
}

impl Wait {
    /// Waits at most `limit`; zero is no limit, as in PostgreSQL's own time limits.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            deadline: (!limit.is_zero()).then(|| Instant::now() + limit),
            pause: Duration::from_millis(20),
        }
    }

    /// Another run holds the lock: sleeps a little.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] behind the deadline.
    pub(crate) async fn pause(&mut self) -> Result<()> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("another migration run of this database did not end within {:?}", self.limit),
            )
            .with_help(
                "try again, or give a longer --lock-timeout; its session is the one in pg_locks with an advisory lock",
            ));
        }
        let until = Instant::now() + self.pause;
        tokio::time::sleep_until(self.deadline.map_or(until, |deadline| deadline.min(until))).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(500));
        Ok(())
    }
}

/// Begins a run's transaction.
///
/// Read committed whatever the role's default: with an older snapshot, a run that got the lock late would not see
/// what the run before it has done.
pub(crate) async fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .read_only(false)
        .start()
        .await
        .map_err(|cause| Error::postgres("begin a transaction", cause))
}

/// Takes the lock for the transaction, if no other session has it.
pub(crate) async fn try_acquire(transaction: &Transaction<'_>) -> Result<bool> {
    ask(transaction, "select pg_catalog.pg_try_advisory_xact_lock($1)").await
}

/// Keeps the lock, which the transaction has, for the session beyond it.
pub(crate) async fn keep(transaction: &Transaction<'_>) -> Result<()> {
    ask(transaction, "select pg_catalog.pg_try_advisory_lock($1)")
        .await
        .map(drop)
}

/// Gives back what [`keep`] has kept.
pub(crate) async fn release(client: &Client) -> Result<()> {
    ask(client, "select pg_catalog.pg_advisory_unlock($1)")
        .await
        .map(drop)
}

/// Whether this server session has the lock: behind a pooler in transaction mode, the next transaction may be in
/// another one, and a file may have called `pg_advisory_unlock_all()`.
///
/// # Errors
///
/// It has not.
pub(crate) async fn require(client: &impl GenericClient) -> Result<()> {
    if ask(client, include_str!("queries/has_lock.sql")).await? {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Migration,
        "the session has lost the lock of this migration run",
    )
    .with_help(
        "connect to PostgreSQL itself, not to a pooler in transaction mode; and no file may call \
         pg_advisory_unlock_all()",
    ))
}

async fn ask(client: &impl GenericClient, sql: &str) -> Result<bool> {
    let row = client
        .query_typed_one(sql, &[(&KEY, Type::INT8)])
        .await
        .map_err(|cause| Error::postgres("lock the migration history", cause))?;
    Ok(row.get(0))
}
