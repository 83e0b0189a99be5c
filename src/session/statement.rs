//! Statements as callers give them: SQL text, or a statement that was prepared in the same transaction.

use std::fmt;

use futures_util::{TryStreamExt, pin_mut};
use postgres_types::{ToSql, Type};
use tokio_postgres::{Column, Row, Statement};

use super::checked::{Lasting, check};
use super::config::Statements;
use super::core::Core;
use super::params::typed;
use crate::error::{Error, Result};

/// A statement that [`TenantTransaction::prepare`](super::TenantTransaction::prepare) made, for use in that transaction.
#[derive(Clone)]
pub struct TenantStatement {
    pub(super) sql: String,
    pub(super) lasting: Lasting,
    /// None where statements travel unnamed.
    pub(super) statement: Option<Statement>,
}

impl TenantStatement {
    /// The types of its parameters, where statements are [`Named`](Statements::Named).
    pub fn params(&self) -> Option<&[Type]> {
        self.statement.as_ref().map(Statement::params)
    }

    /// The columns of its result, where statements are [`Named`](Statements::Named).
    pub fn columns(&self) -> Option<&[Column]> {
        self.statement.as_ref().map(Statement::columns)
    }
}

impl fmt::Debug for TenantStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantStatement")
            .field("sql", &self.sql)
            .finish_non_exhaustive()
    }
}

/// SQL text or a [`TenantStatement`].
///
/// Not tokio-postgres's `ToStatement`: a statement that was prepared elsewhere could be a COMMIT, and nothing would
/// show it.
pub trait ToTenantStatement: sealed::Sealed + Sync {
    #[doc(hidden)]
    fn source(&self) -> sealed::Source<'_>;
}

mod sealed {
    use super::TenantStatement;

    pub trait Sealed {}
    impl Sealed for str {}
    impl Sealed for String {}
    impl Sealed for TenantStatement {}

    /// What to run.
    #[derive(Debug, Clone, Copy)]
    #[non_exhaustive]
    pub enum Source<'s> {
        /// Text, not yet looked at.
        Sql(&'s str),
        /// Checked when it was prepared.
        Prepared(&'s TenantStatement),
    }
}

pub(super) use sealed::Source;

impl ToTenantStatement for str {
    fn source(&self) -> Source<'_> {
        Source::Sql(self)
    }
}

impl ToTenantStatement for String {
    fn source(&self) -> Source<'_> {
        Source::Sql(self)
    }
}

impl ToTenantStatement for TenantStatement {
    fn source(&self) -> Source<'_> {
        Source::Prepared(self)
    }
}

/// The checked statement of a transaction, ready to run.
pub(super) struct Ready<'s> {
    sql: &'s str,
    /// Prepared already; else it is looked up or prepared when it runs.
    prepared: Option<Statement>,
    named: bool,
}

pub(super) type Params<'p> = &'p [&'p (dyn ToSql + Sync)];
pub(super) type TypedParams<'p> = &'p [(&'p (dyn ToSql + Sync), Type)];

impl<'s> Ready<'s> {
    /// Checks the text; marks the transaction where the statement may outlive it.
    pub(super) fn new<T: ToTenantStatement + ?Sized>(core: &Core<'_>, statement: &'s T) -> Result<Self> {
        let source = statement.source();
        let (lasting, prepared) = match source {
            Source::Sql(sql) => (check(sql, core.setting())?, None),
            Source::Prepared(statement) => (statement.lasting, statement.statement.clone()),
        };
        if lasting == Lasting::Perhaps {
            core.mark_lasting();
        }
        let sql = match source {
            Source::Sql(sql) => sql,
            Source::Prepared(statement) => &statement.sql,
        };
        Ok(Self {
            sql,
            prepared,
            named: core.shared.statements != Statements::Unnamed,
        })
    }

    /// Makes sure that running it sends one request and no more: a named statement is prepared now, outside of the
    /// transaction, where its connection does not know it yet.
    pub(super) async fn prepare_ahead(&mut self, core: &Core<'_>) -> Result<()> {
        if self.named && self.prepared.is_none() {
            self.prepared = Some(self.statement(core).await?);
        }
        Ok(())
    }

    /// The named statement.
    pub(super) async fn statement(&self, core: &Core<'_>) -> Result<Statement> {
        match &self.prepared {
            Some(statement) => Ok(statement.clone()),
            None => core
                .lease()?
                .prepare(self.sql)
                .await
                .map_err(|cause| core.failed(cause)),
        }
    }

    pub(super) async fn rows(&self, core: &Core<'_>, params: Params<'_>) -> Result<Vec<Row>> {
        if !self.named {
            return Box::pin(self.typed_rows(core, &typed(params)?)).await;
        }
        let statement = self.statement(core).await?;
        let rows = core.client()?.query(&statement, params).await;
        rows.map_err(|cause| self.failed(core, cause))
    }

    pub(super) async fn count(&self, core: &Core<'_>, params: Params<'_>) -> Result<u64> {
        if !self.named {
            return Box::pin(self.typed_count(core, &typed(params)?)).await;
        }
        let statement = self.statement(core).await?;
        let count = core.client()?.execute(&statement, params).await;
        count.map_err(|cause| self.failed(core, cause))
    }

    pub(super) async fn stream(
        &self,
        core: &Core<'_>,
        params: Params<'_>,
    ) -> Result<tokio_postgres::RowStream> {
        if !self.named {
            return Box::pin(self.typed_stream(core, &typed(params)?)).await;
        }
        let statement = self.statement(core).await?;
        let stream = core.client()?.query_raw(&statement, params.iter().copied()).await;
        stream.map_err(|cause| self.failed(core, cause))
    }

    pub(super) async fn typed_rows(&self, core: &Core<'_>, params: TypedParams<'_>) -> Result<Vec<Row>> {
        let stream = self.typed_stream(core, params).await?;
        pin_mut!(stream);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await.map_err(|cause| core.failed(cause))? {
            rows.push(row);
        }
        Ok(rows)
    }

    pub(super) async fn typed_count(&self, core: &Core<'_>, params: TypedParams<'_>) -> Result<u64> {
        let count = core.client()?.execute_typed(self.sql, params).await;
        count.map_err(|cause| core.failed(cause))
    }

    pub(super) async fn typed_stream(
        &self,
        core: &Core<'_>,
        params: TypedParams<'_>,
    ) -> Result<tokio_postgres::RowStream> {
        let params = params.iter().map(|(param, ty)| (*param, ty.clone()));
        let stream = core.client()?.query_typed_raw(self.sql, params).await;
        stream.map_err(|cause| core.failed(cause))
    }

    /// A statement that the server no longer has, or that no longer fits, is prepared anew the next time.
    fn failed(&self, core: &Core<'_>, cause: tokio_postgres::Error) -> Error {
        if is_stale(&cause)
            && let Ok(lease) = core.lease()
        {
            lease.forget(self.sql);
        }
        core.failed(cause)
    }
}

/// Whether the statement has to be prepared anew: a table changed its columns, or DISCARD or a pooler took it away.
pub(super) fn is_stale(cause: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    cause.as_db_error().is_some_and(|reported| {
        *reported.code() == SqlState::INVALID_SQL_STATEMENT_NAME
            || (*reported.code() == SqlState::FEATURE_NOT_SUPPORTED
                && reported.routine() == Some("RevalidateCachedQuery"))
    })
}
