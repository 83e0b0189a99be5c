//! One transaction on one connection: begun with its binding, watched, ended on every way out.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};
use tracing::{Instrument, Span};

use super::binding::Opening;
use super::config::TransactionEnd;
use super::connection::Lease;
use super::error;
use super::in_order::in_order;
use super::shared::Shared;
use super::value::TenantValue;
use crate::error::{Error, ErrorKind, Result};

/// Nothing was sent yet: BEGIN travels with the first statement.
const FRESH: u8 = 0;
/// BEGIN was sent, its answer not seen.
const SENT: u8 = 1;
/// The server confirmed BEGIN and binding.
const OPEN: u8 = 2;
/// The transaction is not what it should be: nothing more is sent but ROLLBACK.
const BROKEN: u8 = 3;
/// COMMIT or ROLLBACK was sent, its answer not seen.
const ENDING: u8 = 4;
/// The server confirmed the end.
const ENDED: u8 = 5;

/// What undoes whatever statements may have left on the connection, each allowed outside a transaction block.
const RESET: &str = ";CLOSE ALL;SET SESSION AUTHORIZATION DEFAULT;RESET ALL;UNLISTEN *;\
                     SELECT pg_catalog.pg_advisory_unlock_all();DISCARD TEMP;DISCARD SEQUENCES";

/// A transaction. Dropped before its end was confirmed, it is rolled back.
pub(super) struct Core<'a> {
    lease: Option<Lease<'a>>,
    pub(super) shared: &'a Shared,
    pub(super) tenant: Option<TenantValue>,
    opening: Opening,
    phase: AtomicU8,
    /// How many operations were started.
    started_operations: AtomicU64,
    /// The number of the last operation that was abandoned and may still be running on the server; 0 for none.
    in_doubt: AtomicU64,
    /// A statement failed or was abandoned, so that the transaction may be a failed one.
    suspect: AtomicBool,
    /// Something may outlive the transaction on this connection.
    lasting: AtomicBool,
    committing: AtomicBool,
    retryable: Mutex<Option<SqlState>>,
    statements: AtomicU64,
    started: Instant,
    span: Span,
}

impl<'a> Core<'a> {
    pub(super) fn new(
        lease: Lease<'a>,
        shared: &'a Shared,
        tenant: Option<TenantValue>,
        opening: Opening,
        span: Span,
    ) -> Self {
        Self {
            lease: Some(lease),
            shared,
            tenant,
            opening,
            phase: AtomicU8::new(FRESH),
            started_operations: AtomicU64::new(0),
            in_doubt: AtomicU64::new(0),
            suspect: AtomicBool::new(false),
            lasting: AtomicBool::new(false),
            committing: AtomicBool::new(false),
            retryable: Mutex::new(None),
            statements: AtomicU64::new(0),
            started: Instant::now(),
            span,
        }
    }

    pub(super) fn lease(&self) -> Result<&Lease<'a>> {
        self.lease
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the transaction has no connection"))
    }

    pub(super) fn client(&self) -> Result<&Client> {
        self.lease().map(Lease::client)
    }

    pub(super) fn setting(&self) -> &str {
        self.shared.setting.as_str()
    }

    /// The binding, where nested transactions must repeat it.
    pub(super) fn rebinding(&self) -> Option<&str> {
        self.opening.binding.as_deref()
    }

    /// The serialization failure or deadlock that this transaction met, if it did.
    pub(super) fn retryable(&self) -> Option<SqlState> {
        self.retryable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn mark_lasting(&self) {
        self.lasting.store(true, Ordering::Relaxed);
    }

    /// A stream was given up before its end.
    pub(super) fn mark_abandoned(&self) {
        let last = self.started_operations.load(Ordering::Relaxed).max(1);
        self.in_doubt.store(last, Ordering::Relaxed);
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Nothing but ROLLBACK is sent from now on.
    pub(super) fn mark_broken(&self) {
        self.phase.store(BROKEN, Ordering::Relaxed);
    }

    /// The error of a statement, explained and remembered.
    pub(super) fn failed(&self, cause: tokio_postgres::Error) -> Error {
        self.suspect.store(true, Ordering::Relaxed);
        if let Some(code) = cause.code()
            && (*code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED)
        {
            *self.retryable.lock().unwrap_or_else(PoisonError::into_inner) = Some(code.clone());
        }
        error::explain(cause, self.tenant.as_ref())
    }

    /// Runs one operation; BEGIN and the binding go ahead of the first one, in the same round trip.
    pub(super) async fn run<T>(&self, operation: Pin<&mut impl Future<Output = Result<T>>>) -> Result<T> {
        if self.phase.load(Ordering::Relaxed) == BROKEN {
            return Err(error::broken());
        }
        self.statements.fetch_add(1, Ordering::Relaxed);
        let flight = Flight::new(self);
        let (begun, output) = in_order(pin!(self.preamble()), operation)
            .instrument(self.span.clone())
            .await;
        flight.landed();
        if output.is_err() {
            self.suspect.store(true, Ordering::Relaxed);
        }
        begun?;
        output
    }

    /// Runs the transaction's only operation: BEGIN, binding, operation and COMMIT in one round trip.
    ///
    /// The operation must send its one request when it is polled for the first time, or fail.
    pub(super) async fn run_whole<T>(
        &self,
        operation: Pin<&mut impl Future<Output = Result<T>>>,
    ) -> Result<T> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let commit = pin!(async {
            self.committing.store(true, Ordering::Relaxed);
            let sql = self.last_words("COMMIT");
            self.client()?
                .batch_execute(&sql)
                .await
                .map_err(|cause| self.commit_failed(cause))
        });
        let flight = Flight::new(self);
        let (begun, (output, committed)) = in_order(pin!(self.preamble()), pin!(in_order(operation, commit)))
            .instrument(self.span.clone())
            .await;
        flight.landed();
        // Whatever the answers say, COMMIT was answered, or the connection is gone.
        self.phase.store(ENDED, Ordering::Relaxed);
        self.forget_lasting(committed.is_ok());
        let result = begun.and(output).and_then(|output| committed.map(|()| output));
        self.report(match &result {
            Ok(_) => TransactionEnd::Committed,
            Err(error) if error.kind() == ErrorKind::Closed => TransactionEnd::Unknown,
            Err(_) => TransactionEnd::RolledBack,
        });
        result
    }

    /// Sends BEGIN and the binding, or makes sure of them.
    async fn preamble(&self) -> Result<()> {
        match self.phase.load(Ordering::Relaxed) {
            FRESH => {
                self.phase.store(SENT, Ordering::Relaxed);
                let client = self.client()?;
                let begin = pin!(client.batch_execute(&self.opening.begin));
                let answer = match &self.opening.binding {
                    None => begin.await,
                    Some(binding) => {
                        let (opened, bound) = in_order(begin, pin!(client.batch_execute(binding))).await;
                        opened.and(bound)
                    }
                };
                if let Err(cause) = answer {
                    self.phase.store(BROKEN, Ordering::Relaxed);
                    return Err(error::begin(cause, self.tenant.as_ref()));
                }
                self.phase.store(OPEN, Ordering::Relaxed);
            }
            // Whoever sent BEGIN was dropped before its answer came, or is being polled beside us.
            SENT => {
                self.verify().await?;
                self.phase.store(OPEN, Ordering::Relaxed);
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks the server whether the tenant is still bound, which says as well that the transaction is still the one
    /// that it was bound in.
    pub(super) async fn verify(&self) -> Result<()> {
        let answer = self.client()?.simple_query(&self.shared.verify).await;
        let answer = answer.map_err(|cause| self.failed(cause))?;
        let bound = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        if bound.unwrap_or_default() == self.tenant.as_ref().map_or("", TenantValue::as_str) {
            return Ok(());
        }
        self.mark_broken();
        Err(error::escaped())
    }

    /// Commits. Nothing is sent where nothing was.
    pub(super) async fn commit(&self) -> Result<()> {
        match self.phase.load(Ordering::Relaxed) {
            FRESH => {
                self.phase.store(ENDED, Ordering::Relaxed);
                self.report(TransactionEnd::Committed);
                return Ok(());
            }
            BROKEN => return Err(error::broken()),
            _ => {}
        }
        let sure = self.phase.load(Ordering::Relaxed) == OPEN && !self.suspect.load(Ordering::Relaxed);
        let verify = pin!(async { if sure { Ok(()) } else { self.verify().await } });
        let commit = pin!(async {
            self.phase.store(ENDING, Ordering::Relaxed);
            self.committing.store(true, Ordering::Relaxed);
            let sql = self.last_words("COMMIT");
            self.client()?
                .batch_execute(&sql)
                .await
                .map_err(|cause| self.commit_failed(cause))
        });
        let flight = Flight::new(self);
        let (verified, committed) = in_order(verify, commit).instrument(self.span.clone()).await;
        flight.landed();
        self.phase.store(ENDED, Ordering::Relaxed);
        self.forget_lasting(committed.is_ok());
        match (verified, committed) {
            (Ok(()), Ok(())) => {
                self.report(TransactionEnd::Committed);
                Ok(())
            }
            (Err(error), _) if error.sql_state() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {
                self.report(TransactionEnd::RolledBack);
                Err(error::was_rolled_back(error))
            }
            (_, Err(error)) => {
                self.report(if error.kind() == ErrorKind::Closed {
                    TransactionEnd::Unknown
                } else {
                    TransactionEnd::RolledBack
                });
                Err(error)
            }
            (Err(error), Ok(())) => {
                self.report(TransactionEnd::Unknown);
                Err(error)
            }
        }
    }

    /// Rolls back and waits for the answer.
    pub(super) async fn rollback(&self) -> Result<()> {
        if self.phase.load(Ordering::Relaxed) == FRESH {
            self.phase.store(ENDED, Ordering::Relaxed);
        } else {
            let sql = self.last_words("ROLLBACK");
            let rollback = async {
                self.phase.store(ENDING, Ordering::Relaxed);
                self.client()?
                    .batch_execute(&sql)
                    .await
                    .map_err(|cause| Error::postgres("roll back", cause))
            };
            let flight = Flight::new(self);
            let done = rollback.instrument(self.span.clone()).await;
            flight.landed();
            done?;
            self.phase.store(ENDED, Ordering::Relaxed);
            self.forget_lasting(true);
        }
        self.report(TransactionEnd::RolledBack);
        Ok(())
    }

    fn commit_failed(&self, cause: tokio_postgres::Error) -> Error {
        if cause.is_closed() || cause.as_db_error().is_none() {
            return error::commit_unknown(cause);
        }
        self.failed(cause)
    }

    fn last_words(&self, word: &str) -> String {
        if self.lasting.load(Ordering::Relaxed) {
            return format!("{word}{RESET}");
        }
        word.to_owned()
    }

    /// The reset travelled behind the last word.
    fn forget_lasting(&self, done: bool) {
        if done {
            self.lasting.store(false, Ordering::Relaxed);
        }
    }

    fn report(&self, end: TransactionEnd) {
        if let Some(observer) = &self.shared.config.observer {
            let statements = self.statements.load(Ordering::Relaxed);
            observer.ended(end, self.started.elapsed(), statements);
        }
    }
}

impl Drop for Core<'_> {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else {
            return;
        };
        let busy = self.in_doubt.load(Ordering::Relaxed) > 0;
        match self.phase.load(Ordering::Relaxed) {
            FRESH | ENDED => {
                // Where COMMIT failed, the rest of its message was skipped.
                let reset = self.lasting.load(Ordering::Relaxed).then_some(&RESET[1..]);
                lease.give_back(reset, busy);
            }
            _ => {
                // Queued behind everything this transaction sent, ahead of everything the next one sends.
                lease.give_back(Some(&self.last_words("ROLLBACK")), busy);
                self.report(if self.committing.load(Ordering::Relaxed) {
                    TransactionEnd::Unknown
                } else {
                    TransactionEnd::RolledBack
                });
            }
        }
    }
}

/// An operation that was started. Dropped before it landed, it may still be running on the server.
struct Flight<'c, 'a> {
    core: &'c Core<'a>,
    number: u64,
}

impl<'c, 'a> Flight<'c, 'a> {
    fn new(core: &'c Core<'a>) -> Self {
        let number = core.started_operations.fetch_add(1, Ordering::Relaxed) + 1;
        Self { core, number }
    }

    /// Answers come in order: everything that was started before is answered as well.
    fn landed(self) {
        if self.core.in_doubt.load(Ordering::Relaxed) < self.number {
            self.core.in_doubt.store(0, Ordering::Relaxed);
        }
        std::mem::forget(self);
    }
}

impl Drop for Flight<'_, '_> {
    fn drop(&mut self) {
        self.core.mark_abandoned();
    }
}
