//! Sessions over one client that the caller owns, one transaction after the other.

use std::collections::HashMap;
use std::fmt;
use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::config::SessionConfig;
use super::connection::{Lease, Source};
use super::scope::TenantScope;
use super::shared::Shared;
use super::source;
use super::value::AsTenant;
use crate::error::{Error, ErrorKind, Result};

/// How many statements a connection keeps prepared.
const CACHE_SIZE: usize = 512;

/// Tenant sessions over one client.
///
/// Transactions take turns: a second one waits until the first has ended. While the session lives the client cannot be
/// used otherwise, because the session owns or mutably borrows it.
pub struct TenantSession<'c> {
    source: OneClient<Box<dyn ClientMut + 'c>>,
    shared: Shared,
}

impl TenantSession<'static> {
    /// Over a client of your own.
    ///
    /// # Errors
    ///
    /// As [`over`](Self::over).
    pub async fn open(client: Client, config: SessionConfig) -> Result<Self> {
        Self::over(Box::new(client), config).await
    }
}

impl<'c> TenantSession<'c> {
    /// Over anything that is a client for as long as it lives: `&mut Client`, a connection of a pool. It must not be in a
    /// transaction.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnsafeRole`] where the role is not subject to row security, and whatever the server says.
    pub async fn over<C>(client: C, config: SessionConfig) -> Result<TenantSession<'c>>
    where
        C: DerefMut<Target = Client> + Send + Sync + 'c,
    {
        let source: OneClient<Box<dyn ClientMut + 'c>> = OneClient {
            client: Box::new(client),
            statements: StatementCache::default(),
            turn: Semaphore::new(1),
            limit: config.checkout_timeout,
        };
        let shared = source::examine(&source, config).await?;
        Ok(TenantSession { source, shared })
    }

    /// The scope of one tenant.
    pub fn tenant<T: AsTenant + ?Sized>(&self, tenant: &T) -> TenantScope<'_> {
        TenantScope::new(&self.source, &self.shared, tenant.as_tenant())
    }

    /// As [`TenantPool::lookup`](super::TenantPool::lookup).
    pub async fn lookup(
        &self,
        schema: &str,
        function: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let scope = TenantScope::across(&self.source, &self.shared);
        scope.lookup(schema, function, params).await
    }
}

impl fmt::Debug for TenantSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantSession").finish_non_exhaustive()
    }
}

/// What the session was given, its type forgotten.
pub(super) trait ClientMut: Send + Sync {
    fn get(&self) -> &Client;
}

impl<C: DerefMut<Target = Client> + Send + Sync> ClientMut for C {
    fn get(&self) -> &Client {
        self
    }
}

/// The one connection and its statements.
pub(super) trait Single: Send + Sync {
    fn client(&self) -> &Client;
    fn statements(&self) -> &StatementCache;
}

struct OneClient<C> {
    client: C,
    statements: StatementCache,
    turn: Semaphore,
    limit: Duration,
}

impl Single for OneClient<Box<dyn ClientMut + '_>> {
    fn client(&self) -> &Client {
        (*self.client).get()
    }

    fn statements(&self) -> &StatementCache {
        &self.statements
    }
}

impl Source for OneClient<Box<dyn ClientMut + '_>> {
    fn acquire(&self) -> BoxFuture<'_, Result<Lease<'_>>> {
        async {
            // A transaction that was leaked instead of dropped holds its turn for ever; then this fails closed.
            match tokio::time::timeout(self.limit, self.turn.acquire()).await {
                Ok(Ok(turn)) => Ok(Lease::Single {
                    single: self,
                    _turn: turn,
                }),
                Ok(Err(_)) => Err(Error::new(ErrorKind::Internal, "the session is closed")),
                Err(_) => Err(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "the session's other transaction did not end within {:?}",
                        self.limit
                    ),
                )),
            }
        }
        .boxed()
    }

    fn keeps_statements(&self) -> bool {
        true
    }
}

/// Named statements of one connection.
#[derive(Default)]
pub(super) struct StatementCache(Mutex<HashMap<String, Statement>>);

impl StatementCache {
    pub(super) fn get(&self, sql: &str) -> Option<Statement> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned()
    }

    pub(super) async fn prepare(
        &self,
        client: &Client,
        sql: &str,
    ) -> Result<Statement, tokio_postgres::Error> {
        let statement = client.prepare(sql).await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= CACHE_SIZE {
            kept.clear();
        }
        kept.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn forget(&self, sql: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(sql);
    }
}
