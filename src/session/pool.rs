//! A pool of connections that only serve tenants.

use std::fmt;
use std::future::Future;
use std::ops::DerefMut;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::config::{Engine, Observer, Retry, SessionConfig, Statements};
use super::connection::{Lease, Loan, Source};
use super::scope::TenantScope;
use super::shared::Shared;
use super::source;
use super::value::AsTenant;
#[cfg(feature = "deadpool")]
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};

/// A pool of connections, of which nothing can be had but scopes of one tenant. Clones share the pool.
///
/// ```no_run
/// # async fn example() -> rls_tool::Result<()> {
/// use rls_tool::{TenantId, TenantPool};
///
/// let pool = TenantPool::builder().url("postgres://app_user@db.example/app").build().await?;
/// let tenant = TenantId::generate();
/// pool.tenant(&tenant).execute("delete from app.sessions where expires_at < now()", &[]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TenantPool {
    inner: Arc<Inner>,
}

struct Inner {
    source: Box<dyn Source>,
    shared: Shared,
}

impl TenantPool {
    /// Starts to describe a pool: where its connections come from, and how sessions work.
    pub fn builder() -> TenantPoolBuilder {
        TenantPoolBuilder {
            origin: Origin::None,
            max_size: 16,
            config: SessionConfig::new(),
        }
    }

    /// The scope of one tenant. A value that cannot be a tenant's is reported by the call that uses the scope.
    pub fn tenant<T: AsTenant + ?Sized>(&self, tenant: &T) -> TenantScope<'_> {
        TenantScope::new(&*self.inner.source, &self.inner.shared, tenant.as_tenant())
    }

    /// Calls a function before any tenant is known: whose API key, login or session is this?
    ///
    /// The one thing that runs unbound. Only a function can be called, in a READ ONLY transaction whose tenant setting
    /// is empty, so that policies show nothing; what the function may see beyond that is its owner's business
    /// (SECURITY DEFINER, as `app.find_api_key` of the reference schema). One round trip, like every one-shot call.
    ///
    /// ```no_run
    /// # async fn example(pool: rls_tool::TenantPool, key_hash: Vec<u8>) -> rls_tool::Result<()> {
    /// let found = pool.lookup("app", "find_api_key", &[&key_hash]).await?;
    /// let tenant: Option<rls_tool::TenantId> = found.first().map(|row| row.get("tenant_id"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lookup(
        &self,
        schema: &str,
        function: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let scope = TenantScope::across(&*self.inner.source, &self.inner.shared);
        scope.lookup(schema, function, params).await
    }

    /// How statements travel, as configured or detected.
    pub fn statements(&self) -> Statements {
        self.inner.shared.statements
    }

    /// What the server is, as configured or detected.
    pub fn engine(&self) -> Engine {
        self.inner.shared.engine
    }
}

impl fmt::Debug for TenantPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantPool")
            .field("config", &self.inner.shared.config)
            .finish_non_exhaustive()
    }
}

/// Describes a [`TenantPool`].
#[must_use = "call build()"]
pub struct TenantPoolBuilder {
    origin: Origin,
    max_size: usize,
    config: SessionConfig,
}

type MakeSource = Box<dyn FnOnce(&SessionConfig) -> Box<dyn Source> + Send>;

/// Where connections come from.
enum Origin {
    None,
    #[cfg(feature = "deadpool")]
    Url(String),
    #[cfg(feature = "deadpool")]
    Options(Box<ConnectOptions>),
    Source(MakeSource),
}

impl TenantPoolBuilder {
    /// A pool of our own at this URL or key=value text, which is read as `psql` would, with libpq's variables and
    /// password file.
    #[cfg(feature = "deadpool")]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.origin = Origin::Url(url.into());
        self
    }

    /// A pool of our own with these options.
    #[cfg(feature = "deadpool")]
    pub fn options(mut self, options: ConnectOptions) -> Self {
        self.origin = Origin::Options(Box::new(options));
        self
    }

    /// A deadpool of yours. Give it the role of the application, and hand out its connections to nobody else, or only
    /// to who leaves them as they were.
    #[cfg(feature = "deadpool")]
    pub fn pool(mut self, pool: deadpool_postgres::Pool) -> Self {
        self.origin = Origin::Source(Box::new(|config| {
            super::deadpool::over(pool, config.checkout_timeout)
        }));
        self
    }

    /// Any other pool: a closure that checks out one connection, which goes back when it is dropped.
    ///
    /// Statements are prepared anew for each transaction, unless they travel [`Unnamed`](Statements::Unnamed), which
    /// is what [`Detect`](Statements::Detect) chooses here.
    ///
    /// ```no_run
    /// # async fn example(pool: bb8::Pool<bb8_postgres::PostgresConnectionManager<tokio_postgres::NoTls>>)
    /// # -> rls_tool::Result<()> {
    /// let pool = rls_tool::TenantPool::builder()
    ///     .checkout(move || {
    ///         let pool = pool.clone();
    ///         async move { pool.get_owned().await }
    ///     })
    ///     .build()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkout<F, R, C, E>(mut self, checkout: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = std::result::Result<C, E>> + Send + 'static,
        C: DerefMut<Target = Client> + Send + Sync + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.origin = Origin::Source(Box::new(|config| {
            Box::new(Checkout {
                checkout,
                limit: config.checkout_timeout,
            })
        }));
        self
    }

    /// How many connections a pool of our own opens at most: 16 unless told otherwise.
    pub fn max_size(mut self, connections: usize) -> Self {
        self.max_size = connections;
        self
    }

    /// How sessions work, all at once.
    pub fn config(mut self, config: SessionConfig) -> Self {
        self.config = config;
        self
    }

    /// As [`SessionConfig::tenant_setting`].
    pub fn tenant_setting(mut self, name: &str) -> Self {
        self.config = self.config.tenant_setting(name);
        self
    }

    /// As [`SessionConfig::statements`].
    pub fn statements(mut self, statements: Statements) -> Self {
        self.config = self.config.statements(statements);
        self
    }

    /// As [`SessionConfig::engine`].
    pub fn engine(mut self, engine: Engine) -> Self {
        self.config = self.config.engine(engine);
        self
    }

    /// As [`SessionConfig::retry`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.config = self.config.retry(retry);
        self
    }

    /// As [`SessionConfig::observer`].
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.config = self.config.observer(observer);
        self
    }

    /// As [`SessionConfig::checkout_timeout`].
    pub fn checkout_timeout(mut self, limit: Duration) -> Self {
        self.config = self.config.checkout_timeout(limit);
        self
    }

    /// As [`SessionConfig::unguarded`].
    pub fn unguarded(mut self, reason: &str) -> Self {
        self.config = self.config.unguarded(reason);
        self
    }

    /// Connects once, checks that the role is subject to row security, detects the server, and gives the pool.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnsafeRole`] where row security would not hold for the role, [`ErrorKind::Connect`] where there is
    /// no connection to be had, [`ErrorKind::Input`] where the description is malformed.
    pub async fn build(self) -> Result<TenantPool> {
        let (source, shared) = self.build_parts().await?;
        Ok(TenantPool {
            inner: Arc::new(Inner { source, shared }),
        })
    }

    pub(super) async fn build_parts(self) -> Result<(Box<dyn Source>, Shared)> {
        let source = match self.origin {
            Origin::None => {
                return Err(Error::input("the pool has no source of connections")
                    .with_help("call url(), options(), pool() or checkout()"));
            }
            #[cfg(feature = "deadpool")]
            Origin::Url(url) => {
                let options = ConnectOptions::resolve(Some(&url))?;
                super::deadpool::own(options, self.max_size, self.config.checkout_timeout)?
            }
            #[cfg(feature = "deadpool")]
            Origin::Options(options) => {
                super::deadpool::own(*options, self.max_size, self.config.checkout_timeout)?
            }
            Origin::Source(source) => source(&self.config),
        };
        let shared = source::examine(&*source, self.config).await?;
        Ok((source, shared))
    }
}

impl fmt::Debug for TenantPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL: it may hold a password.
        f.debug_struct("TenantPoolBuilder")
            .field("max_size", &self.max_size)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A pool of the caller's, known by how to check out a connection.
struct Checkout<F> {
    checkout: F,
    limit: Duration,
}

impl<F, R, C, E> Source for Checkout<F>
where
    F: Fn() -> R + Send + Sync,
    R: Future<Output = std::result::Result<C, E>> + Send + 'static,
    C: DerefMut<Target = Client> + Send + Sync + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn acquire(&self) -> BoxFuture<'_, Result<Lease<'_>>> {
        let checkout = (self.checkout)();
        async move {
            match tokio::time::timeout(self.limit, checkout).await {
                Ok(Ok(client)) => Ok(Lease::Pooled(Box::new(CheckedOut(client)))),
                Ok(Err(cause)) => {
                    let cause = cause.into();
                    Err(Error::new(ErrorKind::Connect, "failed to check out a connection").caused_by(cause))
                }
                Err(_) => Err(exhausted(self.limit)),
            }
        }
        .boxed()
    }

    fn keeps_statements(&self) -> bool {
        false
    }
}

/// No connection came free in time.
pub(super) fn exhausted(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("no connection of the pool was free within {limit:?}"),
    )
    .with_help("raise max_size, keep transactions short, and do not hold one while asking for another")
}

struct CheckedOut<C>(C);

impl<C> Loan for CheckedOut<C>
where
    C: DerefMut<Target = Client> + Send + Sync + 'static,
{
    fn client(&self) -> &Client {
        &self.0
    }

    fn prepare<'s>(&'s self, sql: &'s str) -> BoxFuture<'s, Result<Statement, tokio_postgres::Error>> {
        self.0.prepare(sql).boxed()
    }

    fn forget(&self, _: &str) {}

    fn give_back_later(self: Box<Self>) {
        // Without a runtime it goes back now; the ROLLBACK is ahead of whatever comes next.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { drop(self.0.check_connection().await) });
        }
    }
}
