//! deadpool: a pool of our own, and pools of the caller's.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_postgres::{Client, Statement};

use super::connection::{Lease, Loan, Source};
use super::pool::exhausted;
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};

/// How long an abandoned statement may go on before its connection is closed instead of reused.
const GRACE: Duration = Duration::from_secs(5);

/// How many statements a connection keeps prepared, more or less: for programs that make up their SQL.
const CACHE_SIZE: usize = 1024;

/// A pool of our own.
pub(super) fn own(options: ConnectOptions, max_size: usize, limit: Duration) -> Result<Box<dyn Source>> {
    let pool = Pool::builder(Connector(options))
        .max_size(max_size.max(1))
        .build()
        .map_err(|cause| Error::new(ErrorKind::Internal, "failed to set up the pool").caused_by(cause))?;
    Ok(over(pool, limit))
}

/// Any pool of deadpool-postgres's connections.
pub(super) fn over<M>(pool: Pool<M>, limit: Duration) -> Box<dyn Source>
where
    M: Manager<Type = ClientWrapper, Error: IntoError> + 'static,
{
    Box::new(DeadpoolSource { pool, limit })
}

/// Opens connections as [`ConnectOptions`] says, with its explanations.
struct Connector(ConnectOptions);

impl Manager for Connector {
    type Type = ClientWrapper;
    type Error = Error;

    async fn create(&self) -> Result<ClientWrapper> {
        // Rare and large: without the box, every checkout would reserve room for it.
        let (client, task) = Box::pin(self.0.open()).await?;
        Ok(ClientWrapper::new(client, task))
    }

    async fn recycle(&self, client: &mut ClientWrapper, _: &Metrics) -> RecycleResult<Error> {
        if client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

/// A manager's error as ours.
pub(super) trait IntoError: Send + Sync {
    fn into_error(self) -> Error;
}

impl IntoError for Error {
    fn into_error(self) -> Error {
        self
    }
}

impl IntoError for tokio_postgres::Error {
    fn into_error(self) -> Error {
        Error::postgres("check out a connection", self).or_kind(ErrorKind::Connect)
    }
}

struct DeadpoolSource<M: Manager> {
    pool: Pool<M>,
    limit: Duration,
}

impl<M> Source for DeadpoolSource<M>
where
    M: Manager<Type = ClientWrapper, Error: IntoError> + 'static,
{
    fn acquire(&self) -> BoxFuture<'_, Result<Lease<'_>>> {
        async {
            match tokio::time::timeout(self.limit, self.pool.get()).await {
                Ok(Ok(object)) => Ok(Lease::Pooled(Box::new(object) as Box<dyn Loan>)),
                Ok(Err(PoolError::Backend(cause))) => Err(cause.into_error()),
                Ok(Err(PoolError::Timeout(_))) | Err(_) => Err(exhausted(self.limit)),
                Ok(Err(PoolError::Closed)) => Err(Error::new(ErrorKind::Closed, "the pool is closed")),
                Ok(Err(PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_))) => Err(Error::new(
                    ErrorKind::Connect,
                    "a hook of the pool refused its connection",
                )),
            }
        }
        .boxed()
    }

    fn keeps_statements(&self) -> bool {
        true
    }
}

impl<M> Loan for Object<M>
where
    M: Manager<Type = ClientWrapper> + 'static,
{
    fn client(&self) -> &Client {
        self
    }

    fn prepare<'s>(&'s self, sql: &'s str) -> BoxFuture<'s, Result<Statement, tokio_postgres::Error>> {
        // Counting them takes time, so only now and then.
        static USES: AtomicU32 = AtomicU32::new(0);
        if USES.fetch_add(1, Ordering::Relaxed).is_multiple_of(256)
            && self.statement_cache.size() > CACHE_SIZE
        {
            self.statement_cache.clear();
        }
        self.prepare_cached(sql).boxed()
    }

    fn forget(&self, sql: &str) {
        drop(self.statement_cache.remove(sql, &[]));
    }

    fn give_back_later(self: Box<Self>) {
        // Closing is the other safe way: the server rolls back when it notices.
        let Ok(runtime) = Handle::try_current() else {
            drop(Object::take(*self));
            return;
        };
        runtime.spawn(async move {
            match tokio::time::timeout(GRACE, self.check_connection()).await {
                Ok(Ok(())) => drop(self),
                _ => drop(Object::take(*self)),
            }
        });
    }
}
