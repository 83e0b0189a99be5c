//! What an audit took for granted, and what it looked at: so that a reader of the report can check both, and repeat it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::finding::Object;
use super::run::AttackMode;
use crate::catalog::{Catalog, Oid, Relation};
use crate::model::{Config, Model};

/// Something taken for granted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// The table or role, or the pattern in `rls.toml` that names tables.
    pub name: String,
    /// Why: what the catalog shows, or the reason given in `rls.toml`.
    pub ground: String,
}

/// What was taken for granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assumptions {
    /// The column that says whose row it is, unless a table has another.
    pub tenant_column: String,
    /// How a session is bound, where the tenant setting alone does not do it.
    pub binding: Vec<String>,
    /// The audited roles.
    pub roles: Vec<Assumed>,
    /// The tenant-scoped tables.
    pub tables: Vec<Assumed>,
    /// Tables that were considered and belong to no tenant.
    pub global: Vec<Object>,
    /// Tables that `rls.toml` declares to belong to no tenant.
    pub exempt: Vec<Assumed>,
    /// Tables that `rls.toml` declares as tenant-scoped by a column of their own, or gives values for.
    pub declared: Vec<String>,
}

impl Assumptions {
    pub(super) fn new(catalog: &Catalog, model: &Model, config: &Config) -> Self {
        let name = |oid: Oid| catalog.relations.get(oid).map(Relation::plain_name);
        let binding = model.binding.iter().flat_map(|binding| {
            let settings = binding
                .settings
                .iter()
                .map(|(name, template)| format!("{name} = {template}"));
            let sql = binding.sql.iter().map(|sql| format!("runs {sql}"));
            let role = binding
                .role_per_tenant
                .iter()
                .map(|template| format!("each tenant has the role {template}"));
            settings.chain(sql).chain(role).collect::<Vec<_>>()
        });
        Self {
            tenant_column: model.tenant_column.clone(),
            binding: binding.collect(),
            roles: model
                .roles
                .iter()
                .map(|role| Assumed {
                    name: role.name.clone(),
                    ground: role.ground.clone(),
                })
                .collect(),
            tables: model
                .tables
                .iter()
                .filter_map(|table| {
                    Some(Assumed {
                        name: name(table.relation)?,
                        ground: table.ground.clone(),
                    })
                })
                .collect(),
            global: model
                .global
                .iter()
                .filter_map(|&oid| catalog.relations.get(oid).map(Relation::object))
                .collect(),
            exempt: config
                .exempt
                .iter()
                .map(|exemption| Assumed {
                    name: exemption.table.as_str().to_owned(),
                    ground: exemption.reason.as_str().to_owned(),
                })
                .collect(),
            declared: config
                .tables
                .iter()
                .map(|table| table.name.as_str().to_owned())
                .collect(),
        }
    }
}

/// What was audited, with what, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The version of rls-tool.
    pub tool_version: String,
    /// The database's name.
    pub database: String,
    /// PostgreSQL's version: `15.18`.
    pub server_version: String,
    /// The role whose privileges read the catalog.
    pub reader: String,
    /// Whether attacks were to be run: `in-place` or `off`.
    pub attacks: String,
    /// When the audit ended, in UTC (RFC 3339).
    pub audited_at: Option<String>,
}

impl Origin {
    pub(super) fn new(catalog: &Catalog, attacks: AttackMode) -> Self {
        let version = catalog.server.version;
        let now = OffsetDateTime::now_utc();
        let now = now.replace_nanosecond(0).unwrap_or(now);
        Self {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            database: catalog.server.database.clone(),
            server_version: format!("{}.{}", version / 10_000, version % 10_000),
            reader: catalog.server.reader.clone(),
            attacks: attacks.name().to_owned(),
            audited_at: now.format(&Rfc3339).ok(),
        }
    }
}
