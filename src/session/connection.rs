//! A connection on loan: what sessions need of it, and how it is given back.

use futures_util::future::BoxFuture;
use tokio::sync::SemaphorePermit;
use tokio_postgres::{Client, Statement};

use super::in_order::queue;
use super::single::Single;
use crate::error::Result;

/// Where connections come from.
pub(super) trait Source: Send + Sync {
    /// A connection that is in no transaction, or whose earlier requests end it.
    fn acquire(&self) -> BoxFuture<'_, Result<Lease<'_>>>;

    /// Whether prepared statements stay with their connection from one loan to the next.
    fn keeps_statements(&self) -> bool;
}

/// A connection of a pool, whatever pool that is.
pub(super) trait Loan: Send + Sync {
    fn client(&self) -> &Client;

    /// A named statement, from the connection's cache if there is one.
    fn prepare<'s>(&'s self, sql: &'s str) -> BoxFuture<'s, Result<Statement, tokio_postgres::Error>>;

    /// Takes a statement out of the cache, because the server no longer has it or its result changed shape.
    fn forget(&self, sql: &str);

    /// Gives the connection back when its last request is answered, or closes it where that takes too long. The
    /// requests are queued already.
    fn give_back_later(self: Box<Self>);
}

/// One connection, held for one transaction.
pub(super) enum Lease<'a> {
    /// Of a pool.
    Pooled(Box<dyn Loan>),
    /// The only one there is, and the turn on it.
    Single {
        single: &'a (dyn Single + 'a),
        _turn: SemaphorePermit<'a>,
    },
}

impl Lease<'_> {
    pub(super) fn client(&self) -> &Client {
        match self {
            Self::Pooled(loan) => loan.client(),
            Self::Single { single, .. } => single.client(),
        }
    }

    pub(super) async fn prepare(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        match self {
            Self::Pooled(loan) => loan.prepare(sql).await,
            Self::Single { single, .. } => match single.statements().get(sql) {
                Some(statement) => Ok(statement),
                None => single.statements().prepare(single.client(), sql).await,
            },
        }
    }

    pub(super) fn forget(&self, sql: &str) {
        match self {
            Self::Pooled(loan) => loan.forget(sql),
            Self::Single { single, .. } => single.statements().forget(sql),
        }
    }

    /// Queues the last words of a transaction and gives the connection back: at once where the connection is idle,
    /// since whatever comes next is queued behind them.
    pub(super) fn give_back(self, last_words: Option<&str>, busy: bool) {
        if let Some(sql) = last_words {
            queue(self.client().batch_execute(sql));
        }
        match self {
            Self::Pooled(loan) if busy => loan.give_back_later(),
            Self::Pooled(_) | Self::Single { .. } => {}
        }
    }
}
