//! Two tenants with rows in every table, and what binds a session to a tenant.

use std::fmt;

use tokio_postgres::Client;

use super::postgres::Postgres;
use crate::attack;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::session::{AsTenant, TenantValue};
use crate::sql::Literal;

/// A tenant with rows in every tenant-scoped table. Made by [`Postgres::tenants`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant {
    id: String,
}

impl Tenant {
    /// The value of the tenant column.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl AsTenant for Tenant {
    fn as_tenant(&self) -> Result<TenantValue> {
        TenantValue::text(&self.id)
    }
}

/// Makes them.
pub(super) async fn make(db: &Postgres) -> Result<[Tenant; 2]> {
    let (catalog, model) = db.model(&[]).await?;
    if model.tables.is_empty() {
        return Err(Error::input("no table belongs to tenants")
            .with_help("apply the migrations first; rls.toml declares the tenant column"));
    }
    let mut client = db.superuser_options().connect().await?;
    let filled = attack::fill(&mut client, &catalog, &model).await?;
    if !filled.refused.is_empty() {
        let list: Vec<_> = filled
            .refused
            .iter()
            .map(|(table, reason)| format!("\n  - {table}: {reason}"))
            .collect();
        return Err(Error::new(
            ErrorKind::Database,
            format!("no rows could be made in some tables:{}", list.concat()),
        )
        .with_help("insert rows of your own as db.owner(), and use as_tenant with the tenants' values"));
    }
    Ok(filled.tenants.map(|id| Tenant { id }))
}

/// Binds the session until it ends.
pub(super) async fn bind(session: &Client, model: &Model, tenant: &str) -> Result<()> {
    let declared = model.binding.clone().unwrap_or_default();
    let mut statements = Vec::new();
    let templates = declared
        .settings
        .values()
        .chain(&declared.sql)
        .chain(&declared.role_per_tenant);
    if templates.into_iter().any(|template| template.contains("{user}")) {
        return Err(
            Error::input("the binding needs a user, and the tests know tenants only")
                .with_help("log in with as_role and bind the session yourself"),
        );
    }
    let mut set = |name: &str, value: &str| {
        statements.push(format!(
            "SELECT pg_catalog.set_config({}, {}, false)",
            Literal::new(name)?,
            Literal::new(value)?
        ));
        Ok::<_, Error>(())
    };
    for (name, template) in &declared.settings {
        set(name, &template.replace("{tenant}", tenant))?;
    }
    if declared.settings.is_empty() && declared.sql.is_none() && declared.role_per_tenant.is_none() {
        set(&model.tenant_setting, tenant)?;
    }
    if let Some(template) = &declared.role_per_tenant {
        set("role", &template.replace("{tenant}", tenant))?;
    }
    if let Some(sql) = &declared.sql {
        statements.push(sql.replace("{tenant}", &Literal::new(tenant)?.to_string()));
    }
    session
        .batch_execute(&statements.join("; "))
        .await
        .map_err(|cause| Error::postgres("bind the session to the tenant", cause))
}
