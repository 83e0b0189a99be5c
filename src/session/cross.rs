//! Work across tenants: a second pool, with a role of its own and a reason for every use.
//!
//! There is no setting that opens the policies: whatever a session may set, every SQL caller may set. What housekeeping
//! may reach, it reaches because policies name its role, and only that far.

use std::fmt;
use std::sync::Arc;

use tokio_postgres::types::Type;

use super::connection::{Lease, Source};
use super::pool::TenantPoolBuilder;
use super::scope::TenantScope;
use super::shared::Shared;
use super::transaction::TenantTransaction;
use crate::error::{Error, Result};
use crate::sql::{Ident, QualifiedName};

/// Marks scopes and transactions of one tenant.
#[derive(Debug, Clone, Copy)]
pub enum OneTenant {}

/// Marks scopes and transactions that are bound to no tenant.
#[derive(Debug, Clone, Copy)]
pub enum AllTenants {}

/// A scope of [`CrossTenantPool`]: bound to no tenant.
pub type CrossTenantScope<'a> = TenantScope<'a, AllTenants>;

/// A transaction of [`CrossTenantPool`]: bound to no tenant.
pub type CrossTenantTransaction<'a> = TenantTransaction<'a, AllTenants>;

/// The setting that holds the reason during the transaction, for triggers that log.
const REASON_SETTING: &str = "rls_tool.cross_tenant_reason";

/// A pool for work that concerns several tenants: jobs, support, housekeeping.
///
/// It logs in as a role of its own, whose policies say what it may reach; the tenant's setting is empty in its
/// transactions. Every scope needs a reason, which is logged (tracing, level info), readable within the transaction as
/// `current_setting('rls_tool.cross_tenant_reason')`, and written to an audit table where one is named.
///
/// ```no_run
/// # async fn example(url: &str) -> rls_tool::Result<()> {
/// use rls_tool::TenantPool;
/// use rls_tool::session::CrossTenantPool;
///
/// let maintenance = CrossTenantPool::builder(TenantPool::builder().url(url).max_size(2))
///     .role("app_maintenance")
///     .audit_table("ops", "cross_tenant_work")
///     .build()
///     .await?;
/// let purged = maintenance
///     .because("purge of expired sessions, job 17")?
///     .execute("delete from app.sessions where expires_at < now()", &[])
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CrossTenantPool {
    inner: Arc<Inner>,
}

struct Inner {
    source: Box<dyn Source>,
    shared: Shared,
    role: Option<String>,
    audit: Option<AuditTable>,
}

impl CrossTenantPool {
    /// Starts from the description of a pool: its connections must be of a role that tenants' requests do not use.
    pub fn builder(pool: TenantPoolBuilder) -> CrossTenantPoolBuilder {
        CrossTenantPoolBuilder {
            pool,
            role: None,
            audit: None,
        }
    }

    /// A scope across tenants, for this reason: who or what does it, and what for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where the reason is empty or has a NUL character.
    pub fn because(&self, reason: &str) -> Result<CrossTenantScope<'_>> {
        if reason.trim().is_empty() {
            return Err(Error::input("work across tenants needs a reason")
                .with_help("say who or what does it and what for: it is logged"));
        }
        let inner = &*self.inner;
        let mut scope = TenantScope::across(&*inner.source, &inner.shared);
        scope.modes.set(REASON_SETTING, reason, &inner.shared.setting)?;
        if let Some(role) = &inner.role {
            scope.modes.become_role(role)?;
        }
        scope.across = Some(Across {
            reason: reason.to_owned(),
            audit: inner.audit.as_ref(),
        });
        Ok(scope)
    }
}

impl fmt::Debug for CrossTenantPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrossTenantPool")
            .field("role", &self.inner.role)
            .finish_non_exhaustive()
    }
}

/// Describes a [`CrossTenantPool`].
#[must_use = "call build()"]
#[derive(Debug)]
pub struct CrossTenantPoolBuilder {
    pool: TenantPoolBuilder,
    role: Option<String>,
    audit: Option<(String, String)>,
}

impl CrossTenantPoolBuilder {
    /// The role that its transactions become (SET LOCAL ROLE), where the login role is not the one that policies name.
    pub fn role(mut self, role: &str) -> Self {
        self.role = Some(role.to_owned());
        self
    }

    /// The table that each use is written to, before it begins and in a transaction of its own, so that what is rolled
    /// back afterwards is recorded as well. It has the columns `reason text` and `role text`, and whatever else fills
    /// itself; the login role may INSERT into it. Costs one round trip.
    pub fn audit_table(mut self, schema: &str, table: &str) -> Self {
        self.audit = Some((schema.to_owned(), table.to_owned()));
        self
    }

    /// Builds the pool.
    ///
    /// # Errors
    ///
    /// As [`TenantPoolBuilder::build`]; the login role must not bypass row security either, unless the pool is
    /// [`unguarded`](TenantPoolBuilder::unguarded).
    pub async fn build(self) -> Result<CrossTenantPool> {
        let audit = self.audit.map(|(schema, table)| AuditTable::new(schema, table));
        let audit = audit.transpose()?;
        if let Some(role) = &self.role {
            Ident::new(role)?;
        }
        let (source, shared) = self.pool.build_parts().await?;
        Ok(CrossTenantPool {
            inner: Arc::new(Inner {
                source,
                shared,
                role: self.role,
                audit,
            }),
        })
    }
}

/// Why a scope is bound to no tenant.
#[derive(Debug, Clone)]
pub(super) struct Across<'a> {
    reason: String,
    audit: Option<&'a AuditTable>,
}

impl Across<'_> {
    /// Logs the use; it does not begin where that fails.
    pub(super) async fn record(&self, lease: &Lease<'_>, role: Option<&str>) -> Result<()> {
        tracing::info!(reason = self.reason, role, "work across tenants");
        let Some(table) = self.audit else {
            return Ok(());
        };
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&self.reason, Type::TEXT), (&role, Type::TEXT)];
        let inserted = lease.client().execute_typed(&table.insert, &params).await;
        inserted
            .map(drop)
            .map_err(|cause| Error::postgres("record work across tenants, which was not begun", cause))
    }
}

/// Where uses are recorded.
#[derive(Debug)]
pub(super) struct AuditTable {
    insert: String,
}

impl AuditTable {
    fn new(schema: String, table: String) -> Result<Self> {
        let table = QualifiedName::new(schema, table)?;
        Ok(Self {
            insert: format!("INSERT INTO {table} (reason, role) VALUES ($1, coalesce($2, current_user))"),
        })
    }
}
