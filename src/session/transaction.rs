//! A transaction that is bound to one tenant, with everything that tokio-postgres offers on a transaction.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Buf;
use tokio_postgres::error::SqlState;
use tokio_postgres::{CancelToken, Row, SimpleQueryMessage};

use super::checked::{check, check_batch};
use super::config::Statements;
use super::core::Core;
use super::cross::OneTenant;
use super::error;
use super::in_order::{in_order, queue};
use super::params::typed;
use super::statement::{Params, Ready, TenantStatement, ToTenantStatement, TypedParams};
use super::stream::{CopyInSink, CopyOutStream, RowStream};
use crate::error::{ErrorKind, Result};

/// A transaction of one tenant. Dropped, it is rolled back; [`commit`](Self::commit) makes it last.
///
/// Beginning costs no round trip: BEGIN and the binding travel with the first statement.
///
/// # Cancel safety
///
/// Any future of this type can be dropped. The statement may have run or not; the transaction goes on, and a commit
/// after an abandoned statement that failed says that nothing was committed.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct TenantTransaction<'a, S = OneTenant> {
    core: CoreRef<'a>,
    savepoint: Option<String>,
    depth: u32,
    scope: PhantomData<fn() -> S>,
}

enum CoreRef<'a> {
    Own(Box<Core<'a>>),
    Parent(&'a Core<'a>),
}

impl<'a> Deref for CoreRef<'a> {
    type Target = Core<'a>;

    fn deref(&self) -> &Core<'a> {
        match self {
            Self::Own(core) => core,
            Self::Parent(core) => core,
        }
    }
}

impl<'a, S> TenantTransaction<'a, S> {
    pub(super) fn new(core: Core<'a>) -> Self {
        Self {
            core: CoreRef::Own(Box::new(core)),
            savepoint: None,
            depth: 0,
            scope: PhantomData,
        }
    }

    pub(super) fn core(&self) -> &Core<'a> {
        &self.core
    }

    /// Runs a statement and returns its rows. Like [`tokio_postgres::Transaction::query`].
    pub async fn query<T>(&self, statement: &T, params: Params<'_>) -> Result<Vec<Row>>
    where
        T: ToTenantStatement + ?Sized,
    {
        let ready = Ready::new(&self.core, statement)?;
        self.core.run(pin!(ready.rows(&self.core, params))).await
    }

    /// Like [`query`](Self::query), for exactly one row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RowCount`] for none or several.
    pub async fn query_one<T>(&self, statement: &T, params: Params<'_>) -> Result<Row>
    where
        T: ToTenantStatement + ?Sized,
    {
        error::one(self.query(statement, params).await?, self.core.tenant.as_ref())
    }

    /// Like [`query`](Self::query), for one row or none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RowCount`] for several.
    pub async fn query_opt<T>(&self, statement: &T, params: Params<'_>) -> Result<Option<Row>>
    where
        T: ToTenantStatement + ?Sized,
    {
        error::at_most_one(self.query(statement, params).await?, self.core.tenant.as_ref())
    }

    /// Runs a statement and returns its rows as they arrive.
    pub async fn query_raw<T>(&self, statement: &T, params: Params<'_>) -> Result<RowStream<'_>>
    where
        T: ToTenantStatement + ?Sized,
    {
        let ready = Ready::new(&self.core, statement)?;
        let stream = self.core.run(pin!(ready.stream(&self.core, params))).await?;
        Ok(RowStream::new(&self.core, stream))
    }

    /// Runs a statement and says how many rows it changed. Like [`tokio_postgres::Transaction::execute`].
    pub async fn execute<T>(&self, statement: &T, params: Params<'_>) -> Result<u64>
    where
        T: ToTenantStatement + ?Sized,
    {
        let ready = Ready::new(&self.core, statement)?;
        self.core.run(pin!(ready.count(&self.core, params))).await
    }

    /// Like [`execute`](Self::execute), for a statement that must change exactly `rows` rows: an UPDATE by primary key,
    /// say, whose row may be missing or another tenant's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RowCount`] where it changed another number. They stay changed unless the transaction is dropped.
    pub async fn execute_expecting<T>(&self, rows: u64, statement: &T, params: Params<'_>) -> Result<()>
    where
        T: ToTenantStatement + ?Sized,
    {
        let changed = self.execute(statement, params).await?;
        error::expect_rows(rows, changed, self.core.tenant.as_ref())
    }

    /// Like [`query`](Self::query) with types for the parameters: never prepared, one round trip.
    pub async fn query_typed(&self, sql: &str, params: TypedParams<'_>) -> Result<Vec<Row>> {
        let ready = Ready::new(&self.core, sql)?;
        self.core.run(pin!(ready.typed_rows(&self.core, params))).await
    }

    /// Like [`query_one`](Self::query_one) with types for the parameters.
    pub async fn query_typed_one(&self, sql: &str, params: TypedParams<'_>) -> Result<Row> {
        error::one(self.query_typed(sql, params).await?, self.core.tenant.as_ref())
    }

    /// Like [`query_opt`](Self::query_opt) with types for the parameters.
    pub async fn query_typed_opt(&self, sql: &str, params: TypedParams<'_>) -> Result<Option<Row>> {
        error::at_most_one(self.query_typed(sql, params).await?, self.core.tenant.as_ref())
    }

    /// Like [`query_raw`](Self::query_raw) with types for the parameters.
    pub async fn query_typed_raw(&self, sql: &str, params: TypedParams<'_>) -> Result<RowStream<'_>> {
        let ready = Ready::new(&self.core, sql)?;
        let stream = self
            .core
            .run(pin!(ready.typed_stream(&self.core, params)))
            .await?;
        Ok(RowStream::new(&self.core, stream))
    }

    /// Like [`execute`](Self::execute) with types for the parameters.
    pub async fn execute_typed(&self, sql: &str, params: TypedParams<'_>) -> Result<u64> {
        let ready = Ready::new(&self.core, sql)?;
        self.core.run(pin!(ready.typed_count(&self.core, params))).await
    }

    /// Prepares a statement for this transaction. Statements that are given as text are kept per connection anyway.
    pub async fn prepare(&self, sql: &str) -> Result<TenantStatement> {
        let lasting = check(sql, self.core.setting())?;
        let statement = if self.core.shared.statements == Statements::Unnamed {
            None
        } else {
            let ready = Ready::new(&self.core, sql)?;
            Some(self.core.run(pin!(ready.statement(&self.core))).await?)
        };
        Ok(TenantStatement {
            sql: sql.to_owned(),
            lasting,
            statement,
        })
    }

    /// Opens a cursor on a query, to be read bit by bit with [`query_portal`](Self::query_portal).
    ///
    /// This is SQL's `DECLARE … CURSOR`, so the statement must be a SELECT or VALUES.
    pub async fn bind(&self, sql: &str, params: Params<'_>) -> Result<Portal> {
        self.bind_typed(sql, &typed(params)?).await
    }

    /// Like [`bind`](Self::bind) with types for the parameters.
    pub async fn bind_typed(&self, sql: &str, params: TypedParams<'_>) -> Result<Portal> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        check(sql, self.core.setting())?;
        let name = format!("rls_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let declare = format!("DECLARE {name} NO SCROLL CURSOR WITHOUT HOLD FOR {sql}");
        self.execute_typed(&declare, params).await?;
        Ok(Portal { name })
    }

    /// The next rows of a cursor: at most `max_rows`, or all that are left where that is 0 or less.
    pub async fn query_portal(&self, portal: &Portal, max_rows: i32) -> Result<Vec<Row>> {
        let count = if max_rows > 0 {
            max_rows.to_string()
        } else {
            "ALL".to_owned()
        };
        self.query_typed(&format!("FETCH FORWARD {count} FROM {}", portal.name), &[])
            .await
    }

    /// Starts `COPY … FROM STDIN`. PostgreSQL does not do it into tables with row security: use INSERT there.
    pub async fn copy_in<U>(&self, sql: &str) -> Result<CopyInSink<'_, U>>
    where
        U: Buf + Send + 'static,
    {
        let ready = Ready::new(&self.core, sql)?;
        let copy = pin!(async {
            let statement = ready.statement(&self.core).await?;
            let sink = self.core.client()?.copy_in(&statement).await;
            sink.map_err(|cause| self.core.failed(cause))
        });
        Ok(CopyInSink::new(&self.core, self.core.run(copy).await?))
    }

    /// Starts `COPY … TO STDOUT`; row security applies to what is copied.
    pub async fn copy_out(&self, sql: &str) -> Result<CopyOutStream<'_>> {
        let ready = Ready::new(&self.core, sql)?;
        let copy = pin!(async {
            let statement = ready.statement(&self.core).await?;
            let stream = self.core.client()?.copy_out(&statement).await;
            stream.map_err(|cause| self.core.failed(cause))
        });
        Ok(CopyOutStream::new(&self.core, self.core.run(copy).await?))
    }

    /// Runs several statements, without parameters and results.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`], and nothing is run, where one of them would end the transaction or change the connection.
    /// What escapes that check is found afterwards, since the tenant is then no longer bound: the transaction is
    /// broken and cannot be committed.
    pub async fn batch_execute(&self, sql: &str) -> Result<()> {
        self.simple_query(sql).await.map(drop)
    }

    /// Runs several statements, and gives the results as text. The same is refused as by
    /// [`batch_execute`](Self::batch_execute).
    pub async fn simple_query(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>> {
        check_batch(sql, self.core.setting())?;
        let core = &self.core;
        core.mark_lasting();
        let batch = pin!(async {
            let client = core.client()?;
            let run = pin!(async { client.simple_query(sql).await.map_err(|cause| core.failed(cause)) });
            let (answer, still_bound) = in_order(run, pin!(core.verify())).await;
            match (&answer, &still_bound) {
                // It failed within the transaction: that is an ordinary failed statement.
                (Err(_), Err(error)) if error::is_failed_transaction(error) => answer,
                (_, Err(_)) => still_bound.and(answer),
                // It failed, and yet statements run: the transaction is another one.
                (Err(error), Ok(())) if error.kind() != ErrorKind::Closed => {
                    core.mark_broken();
                    answer
                }
                _ => answer,
            }
        });
        core.run(batch).await
    }

    /// A token with which another task can cancel what this connection is doing.
    ///
    /// It names the connection, not the transaction: used late, it cancels what the connection does then.
    pub fn cancel_token(&self) -> Result<CancelToken> {
        Ok(self.core.client()?.cancel_token())
    }

    /// Begins a nested transaction: a savepoint. Dropped, it is rolled back, and this one goes on.
    pub async fn savepoint(&mut self) -> Result<TenantTransaction<'_, S>> {
        let depth = self.depth + 1;
        let name = format!("rls_tool_{depth}");
        let core: &Core<'_> = &self.core;
        let mut nested = TenantTransaction::<'_, S> {
            core: CoreRef::Parent(core),
            savepoint: None,
            depth,
            scope: PhantomData,
        };
        let sql = format!("SAVEPOINT {name}{}", rebinding(core));
        let mut savepoint = Box::pin(async {
            // From its first poll on, dropping it must undo the savepoint.
            nested.savepoint = Some(name);
            let done = core.client()?.batch_execute(&sql).await;
            done.map_err(|cause| core.failed(cause))
        });
        let done = core.run(savepoint.as_mut()).await;
        drop(savepoint);
        if let Err(error) = done {
            // There is no savepoint to go back to.
            nested.savepoint = None;
            return Err(error);
        }
        Ok(nested)
    }

    /// Commits; a nested transaction becomes part of its parent.
    ///
    /// # Errors
    ///
    /// Where a statement had failed PostgreSQL rolls back instead, and this is an error. [`ErrorKind::Closed`] means
    /// that the connection broke before the answer came: then it is not known which of the two happened.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was polled: rolled back. Dropped later: committed or rolled back, nothing in between.
    pub async fn commit(mut self) -> Result<()> {
        let Some(name) = &self.savepoint else {
            return self.core.commit().await;
        };
        let core: &Core<'_> = &self.core;
        let sql = format!("RELEASE SAVEPOINT {name}{}", rebinding(core));
        let release = pin!(async {
            let done = core.client()?.batch_execute(&sql).await;
            done.map_err(|cause| core.failed(cause))
        });
        core.run(release).await?;
        self.savepoint = None;
        Ok(())
    }

    /// Commits, and says what an error came from.
    pub(super) async fn commit_for_retry(self) -> (Result<()>, Option<SqlState>) {
        let committed = self.core.commit().await;
        (committed, self.core.retryable())
    }

    /// Rolls back and waits for the answer. Dropping the transaction does the same without waiting.
    pub async fn rollback(mut self) -> Result<()> {
        let Some(name) = &self.savepoint else {
            return self.core.rollback().await;
        };
        let core: &Core<'_> = &self.core;
        let sql = undo(name, core);
        let undo = pin!(async {
            let done = core.client()?.batch_execute(&sql).await;
            done.map_err(|cause| core.failed(cause))
        });
        core.run(undo).await?;
        self.savepoint = None;
        Ok(())
    }
}

/// Citus forgets settings when a savepoint is released, so they are said again.
fn rebinding(core: &Core<'_>) -> String {
    core.rebinding()
        .map_or_else(String::new, |binding| format!(";{binding}"))
}

fn undo(name: &str, core: &Core<'_>) -> String {
    let rebinding = rebinding(core);
    format!("ROLLBACK TO SAVEPOINT {name};RELEASE SAVEPOINT {name}{rebinding}")
}

impl<S> Drop for TenantTransaction<'_, S> {
    fn drop(&mut self) {
        if let Some(name) = self.savepoint.take()
            && let Ok(client) = self.core.client()
        {
            queue(client.batch_execute(&undo(&name, &self.core)));
            self.core.mark_abandoned();
        }
    }
}

impl<S> fmt::Debug for TenantTransaction<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantTransaction")
            .field("tenant", &self.core.tenant)
            .field("savepoint", &self.savepoint)
            .finish_non_exhaustive()
    }
}

/// A cursor of one transaction, which closes with it.
#[derive(Debug)]
pub struct Portal {
    name: String,
}

const _: fn() = || {
    fn sent<T: Send>() {}
    sent::<TenantTransaction<'static>>();
};
