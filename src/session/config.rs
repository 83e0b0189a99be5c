//! What sessions can be told: the setting's name, how statements travel, retries, who watches.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::binding::SettingName;
use crate::error::{Error, Result};

/// How statements travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Statements {
    /// [`Named`](Self::Named), unless the pool finds a pooler in between that does not follow named statements.
    #[default]
    Detect,
    /// Named statements, prepared once a connection and kept: the fastest. The first use on a connection costs one
    /// more round trip.
    Named,
    /// Unnamed statements only, which every pooler in transaction mode understands: PgBouncer before 1.21, or with
    /// `max_prepared_statements = 0`. Parameter types are taken from the Rust values; where that is not possible, use
    /// the `_typed` methods.
    Unnamed,
}

/// What the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Engine {
    /// Asked for when the pool is built.
    #[default]
    Detect,
    /// PostgreSQL.
    Postgres,
    /// Citus, where the binding must reach the workers.
    Citus,
}

/// How often a transaction is tried again after a serialization failure (40001) or a deadlock (40P01).
#[derive(Debug, Clone)]
pub struct Retry {
    pub(super) attempts: u32,
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
}

impl Retry {
    /// This many attempts in all.
    pub fn attempts(attempts: u32) -> Self {
        Self {
            attempts: attempts.max(1),
            ..Self::default()
        }
    }

    /// The pause before the second attempt, which doubles each time up to `longest`; what is waited is a random part
    /// of it.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
        self
    }
}

impl Default for Retry {
    /// Five attempts; pauses from 5 ms up to 500 ms.
    fn default() -> Self {
        Self {
            attempts: 5,
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(500),
        }
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransactionEnd {
    /// The server confirmed COMMIT.
    Committed,
    /// Rolled back by [`rollback`](super::TenantTransaction::rollback), by an error, or by being dropped.
    RolledBack,
    /// COMMIT was sent and no answer came: committed or not.
    Unknown,
}

/// Who watches sessions: for metrics. Every method has an empty default. Called on the caller's task: be quick.
pub trait Observer: Send + Sync {
    /// A connection was had after this time.
    fn acquired(&self, waited: Duration) {
        let _ = waited;
    }

    /// A transaction ended; `lasted` counts from its begin.
    fn ended(&self, end: TransactionEnd, lasted: Duration, statements: u64) {
        let _ = (end, lasted, statements);
    }

    /// [`run`](super::TenantScope::run) tries again, for the `attempt`th time.
    fn retried(&self, attempt: u32, cause: &SqlState) {
        let _ = (attempt, cause);
    }
}

/// How sessions work; the same for a [`TenantPool`](super::TenantPool) and a [`TenantSession`](super::TenantSession).
#[derive(Clone)]
pub struct SessionConfig {
    pub(super) tenant_setting: Result<SettingName, String>,
    pub(super) statements: Statements,
    pub(super) engine: Engine,
    pub(super) retry: Retry,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) checkout_timeout: Duration,
    pub(super) unguarded: Option<String>,
}

impl SessionConfig {
    /// The defaults: `app.current_tenant`, everything detected.
    pub fn new() -> Self {
        Self {
            tenant_setting: SettingName::new("app.current_tenant").map_err(|error| error.to_string()),
            statements: Statements::Detect,
            engine: Engine::Detect,
            retry: Retry::default(),
            observer: None,
            checkout_timeout: Duration::from_secs(10),
            unguarded: None,
        }
    }

    /// The custom setting that policies read, for example `app.current_tenant`. Checked when the pool is built.
    #[must_use]
    pub fn tenant_setting(mut self, name: &str) -> Self {
        self.tenant_setting = SettingName::new(name).map_err(|error| error.to_string());
        self
    }

    /// How statements travel.
    #[must_use]
    pub fn statements(mut self, statements: Statements) -> Self {
        self.statements = statements;
        self
    }

    /// What the server is.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// How often [`run`](super::TenantScope::run) tries.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Who watches.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// How long a call waits for a connection before it fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout).
    #[must_use]
    pub fn checkout_timeout(mut self, limit: Duration) -> Self {
        self.checkout_timeout = limit;
        self
    }

    /// Leaves out the check that the role is subject to row security. Only for servers where the catalogs cannot be
    /// read; the reason is logged.
    #[must_use]
    pub fn unguarded(mut self, reason: &str) -> Self {
        self.unguarded = Some(reason.to_owned());
        self
    }

    pub(super) fn setting(&self) -> Result<SettingName> {
        self.tenant_setting.clone().map_err(Error::input)
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionConfig")
            .field("tenant_setting", &self.tenant_setting)
            .field("statements", &self.statements)
            .field("engine", &self.engine)
            .field("retry", &self.retry)
            .field("checkout_timeout", &self.checkout_timeout)
            .field("unguarded", &self.unguarded)
            .finish_non_exhaustive()
    }
}
