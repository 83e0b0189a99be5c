//! The scope of one tenant: one statement in one round trip, or a transaction.

use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio_postgres::{IsolationLevel, Row};

use super::binding::{Modes, Opening};
use super::connection::Source;
use super::core::Core;
use super::cross::{Across, AllTenants, OneTenant};
use super::detect;
use super::error;
use super::shared::Shared;
use super::statement::{Params, Ready, TypedParams};
use super::stream::TenantRowStream;
use super::transaction::TenantTransaction;
use super::value::TenantValue;
use crate::error::{Error, Result};
use crate::sql::QualifiedName;

/// Everything that can be done for one tenant. Made by [`TenantPool::tenant`](super::TenantPool::tenant); keep it and
/// use it as often as you like.
///
/// The one-shot calls send BEGIN, the binding, the statement and COMMIT in one round trip.
///
/// # Cancel safety
///
/// A one-shot call that is dropped was either not sent at all or is sent whole, and then commits or fails by itself.
/// The connection serves nobody else before the server has answered.
#[must_use = "a scope does nothing by itself"]
pub struct TenantScope<'a, S = OneTenant> {
    source: &'a dyn Source,
    pub(super) shared: &'a Shared,
    /// The tenant, or why there is none: said by the call that uses the scope.
    tenant: std::result::Result<Option<TenantValue>, String>,
    pub(super) modes: Modes,
    expected: Option<u64>,
    pub(super) across: Option<Across<'a>>,
    scope: PhantomData<fn() -> S>,
}

impl<'a> TenantScope<'a> {
    pub(super) fn new(source: &'a dyn Source, shared: &'a Shared, tenant: Result<TenantValue>) -> Self {
        Self::of(
            source,
            shared,
            tenant.map(Some).map_err(|error| error.to_string()),
        )
    }
}

impl<'a> TenantScope<'a, AllTenants> {
    pub(super) fn across(source: &'a dyn Source, shared: &'a Shared) -> Self {
        Self::of(source, shared, Ok(None))
    }

    /// Calls a function, unbound and READ ONLY.
    pub(super) async fn lookup(self, schema: &str, function: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let function = QualifiedName::new(schema, function)?;
        let places: Vec<String> = (1..=params.len()).map(|place| format!("${place}")).collect();
        let sql = format!("SELECT * FROM {function}({})", places.join(","));
        self.read_only().query(&sql, params).await
    }
}

impl<'a, S> TenantScope<'a, S> {
    fn of(
        source: &'a dyn Source,
        shared: &'a Shared,
        tenant: std::result::Result<Option<TenantValue>, String>,
    ) -> Self {
        Self {
            source,
            shared,
            tenant,
            modes: Modes::default(),
            expected: None,
            across: None,
            scope: PhantomData,
        }
    }

    /// READ ONLY transactions.
    pub fn read_only(mut self) -> Self {
        self.modes.read_only = true;
        self
    }

    /// Transactions of this isolation level.
    pub fn isolation(mut self, level: IsolationLevel) -> Self {
        self.modes.isolation = Some(level);
        self
    }

    /// DEFERRABLE transactions: where they are serializable and read only, they wait for a snapshot that cannot fail.
    pub fn deferrable(mut self) -> Self {
        self.modes.deferrable = true;
        self
    }

    /// A further custom setting, bound like the tenant for the transaction alone: `app.current_user`, say.
    ///
    /// A malformed name, the tenant's own setting, or a value with a NUL is reported by the call that uses the scope.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        let set = self.modes.set(name, value, &self.shared.setting);
        self.keep_error(set);
        self
    }

    /// Becomes another role for the transaction: SET LOCAL ROLE.
    pub fn role(mut self, role: &str) -> Self {
        let become_role = self.modes.become_role(role);
        self.keep_error(become_role);
        self
    }

    /// PostgreSQL's `statement_timeout` for the transaction.
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.modes.limit("statement_timeout", limit);
        self
    }

    /// PostgreSQL's `lock_timeout` for the transaction.
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.modes.limit("lock_timeout", limit);
        self
    }

    /// One-shot [`execute`](Self::execute)s must change exactly this many rows, or are rolled back and fail with
    /// [`ErrorKind::RowCount`](crate::ErrorKind::RowCount). COMMIT then waits for the number: two round trips.
    pub fn expect_rows(mut self, rows: u64) -> Self {
        self.expected = Some(rows);
        self
    }

    fn keep_error(&mut self, result: Result<()>) {
        if let Err(error) = result
            && self.tenant.is_ok()
        {
            self.tenant = Err(error.to_string());
        }
    }

    /// Runs one statement and returns its rows.
    pub async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let mut again = true;
        loop {
            match self.query_once(sql, params).await {
                Err(error) if again && is_stale(&error) => again = false,
                result => return result,
            }
        }
    }

    async fn query_once(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let core = self.core().await?;
        let mut ready = Ready::new(&core, sql)?;
        ready.prepare_ahead(&core).await?;
        core.run_whole(pin!(ready.rows(&core, params))).await
    }

    /// Like [`query`](Self::query), for exactly one row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RowCount`](crate::ErrorKind::RowCount) for none or several; the statement was committed then.
    pub async fn query_one(&self, sql: &str, params: Params<'_>) -> Result<Row> {
        error::one(self.query(sql, params).await?, self.value())
    }

    /// Like [`query`](Self::query), for one row or none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RowCount`](crate::ErrorKind::RowCount) for several; the statement was committed then.
    pub async fn query_opt(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>> {
        error::at_most_one(self.query(sql, params).await?, self.value())
    }

    /// Runs one statement and returns its rows as they arrive, in two round trips: COMMIT is sent behind the last row.
    pub async fn query_raw(&self, sql: &str, params: Params<'_>) -> Result<TenantRowStream<'a>> {
        let core = self.core().await?;
        let ready = Ready::new(&core, sql)?;
        let rows = core.run(pin!(ready.stream(&core, params))).await?;
        Ok(TenantRowStream::new(core, rows))
    }

    /// Like [`query_raw`](Self::query_raw) with types for the parameters.
    pub async fn query_typed_raw(&self, sql: &str, params: TypedParams<'_>) -> Result<TenantRowStream<'a>> {
        let core = self.core().await?;
        let ready = Ready::new(&core, sql)?;
        let rows = core.run(pin!(ready.typed_stream(&core, params))).await?;
        Ok(TenantRowStream::new(core, rows))
    }

    /// Runs one statement and says how many rows it changed.
    pub async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        let mut again = true;
        loop {
            match self.execute_once(sql, params).await {
                Err(error) if again && is_stale(&error) => again = false,
                result => return result,
            }
        }
    }

    async fn execute_once(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        if let Some(rows) = self.expected {
            let work = async {
                let tx = self.begin().await?;
                tx.execute_expecting(rows, sql, params).await?;
                tx.commit().await?;
                Ok(rows)
            };
            return Box::pin(work).await;
        }
        let core = self.core().await?;
        let mut ready = Ready::new(&core, sql)?;
        ready.prepare_ahead(&core).await?;
        core.run_whole(pin!(ready.count(&core, params))).await
    }

    /// Like [`query`](Self::query) with types for the parameters: one round trip also the first time, and safe behind
    /// any pooler.
    pub async fn query_typed(&self, sql: &str, params: TypedParams<'_>) -> Result<Vec<Row>> {
        let core = self.core().await?;
        let ready = Ready::new(&core, sql)?;
        core.run_whole(pin!(ready.typed_rows(&core, params))).await
    }

    /// Like [`query_one`](Self::query_one) with types for the parameters.
    pub async fn query_typed_one(&self, sql: &str, params: TypedParams<'_>) -> Result<Row> {
        error::one(self.query_typed(sql, params).await?, self.value())
    }

    /// Like [`query_opt`](Self::query_opt) with types for the parameters.
    pub async fn query_typed_opt(&self, sql: &str, params: TypedParams<'_>) -> Result<Option<Row>> {
        error::at_most_one(self.query_typed(sql, params).await?, self.value())
    }

    /// Like [`execute`](Self::execute) with types for the parameters.
    pub async fn execute_typed(&self, sql: &str, params: TypedParams<'_>) -> Result<u64> {
        if let Some(rows) = self.expected {
            let work = async {
                let tx = self.begin().await?;
                let changed = tx.execute_typed(sql, params).await?;
                error::expect_rows(rows, changed, self.value())?;
                tx.commit().await?;
                Ok(changed)
            };
            return Box::pin(work).await;
        }
        let core = self.core().await?;
        let ready = Ready::new(&core, sql)?;
        core.run_whole(pin!(ready.typed_count(&core, params))).await
    }

    /// Begins a transaction. Nothing is sent yet: BEGIN and the binding travel with its first statement.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) where no connection is free in time, and
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for a malformed tenant, setting or role.
    pub async fn begin(&self) -> Result<TenantTransaction<'a, S>> {
        Ok(TenantTransaction::new(self.core().await?))
    }

    fn value(&self) -> Option<&TenantValue> {
        self.tenant.as_ref().ok().and_then(Option::as_ref)
    }

    /// A connection and what to say on it.
    async fn core(&self) -> Result<Core<'a>> {
        let tenant = match &self.tenant {
            Ok(tenant) => tenant.clone(),
            Err(reason) => return Err(Error::input(reason.clone())),
        };
        let opening = Opening::new(
            self.shared.form,
            &self.shared.setting,
            tenant.as_ref(),
            &self.modes,
        )?;
        let span = tracing::debug_span!(
            "tenant_transaction",
            tenant = tenant.as_ref().map(TenantValue::as_str)
        );
        let started = Instant::now();
        let lease = self.source.acquire().await?;
        if let Some(observer) = &self.shared.config.observer {
            observer.acquired(started.elapsed());
        }
        if self.shared.types().is_some() {
            Box::pin(detect::learn_types(&lease, self.shared)).await;
        }
        if let Some(across) = &self.across {
            across.record(&lease, self.modes.role.as_deref()).await?;
        }
        Ok(Core::new(lease, self.shared, tenant, opening, span))
    }
}

// By hand: deriving would ask S for Clone, and S is never a value.
impl<S> Clone for TenantScope<'_, S> {
    fn clone(&self) -> Self {
        Self {
            source: self.source,
            shared: self.shared,
            tenant: self.tenant.clone(),
            modes: self.modes.clone(),
            expected: self.expected,
            across: self.across.clone(),
            scope: PhantomData,
        }
    }
}

fn is_stale(error: &Error) -> bool {
    error.as_postgres().is_some_and(super::statement::is_stale)
}

impl<S> fmt::Debug for TenantScope<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantScope")
            .field("tenant", &self.tenant)
            .field("modes", &self.modes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Futures are moved when they are spawned, boxed, or handed on: they must not grow unnoticed.
    #[test]
    fn futures_are_small() {
        fn size<R: Future>(_: impl FnOnce(&'static TenantScope<'static>) -> R) -> usize {
            size_of::<R>()
        }
        let query = size(|scope| scope.query("select 1", &[]));
        let execute = size(|scope| scope.execute("select 1", &[]));
        let typed = size(|scope| scope.query_typed("select 1", &[]));
        assert!(
            query.max(execute).max(typed) < 6000,
            "{query}, {execute}, {typed} bytes"
        );
    }
}
