//! The model: which tables belong to tenants and by which column, which roles are audited, and by which doors each of
//! them reaches tenants' rows.
//!
//! Decided from [`Config`] (flags and `rls.toml`) and from what the catalog shows; every decision carries its ground.
//! What the doors let through is for `checks`, `proof` and `attack` to say.

mod build;
mod config;
mod day;
mod doors;
mod escape;
mod explain;
pub(crate) mod expression;
mod identity;
mod names;
mod pattern;
mod roles;
mod scope;
mod setting;
mod source;
mod views;

pub use config::{Allowance, Binding, Config, Exemption, Level, Reason, TableConfig};
pub use day::Day;
pub use doors::ModelDoor;
pub use escape::{Escape, EscapeKind, Step};
pub use explain::Explanation;
pub use identity::Identity;
pub(crate) use names::nearest;
pub use pattern::Pattern;
pub use roles::AuditedRole;
pub use scope::{Scope, TenantTable};
pub(crate) use setting::Expressions;
pub(crate) use views::accesses;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::Oid;

/// What the audit takes for granted about one database.
#[derive(Debug, Clone)]
pub struct Model {
    /// The column that says whose row it is, unless a table has another.
    pub tenant_column: String,
    /// The setting that says who is asking.
    pub tenant_setting: String,
    /// Why it is taken for the one.
    pub setting_ground: String,
    /// The audited roles.
    pub roles: Vec<AuditedRole>,
    /// Tenant-scoped tables by name, partitions and inheritance children included.
    pub tables: Vec<TenantTable>,
    /// Every door, by role, object and command.
    pub doors: Vec<ModelDoor>,
    /// Tables that were considered and belong to no tenant.
    pub global: Vec<Oid>,
    /// Tables that `rls.toml` declares to belong to no tenant, with the reasons.
    pub exempt: Vec<(Oid, String)>,
    /// How a session is bound, where the tenant setting alone does not do it.
    pub binding: Option<Binding>,
    /// Where who is asking is looked up, where that is not the tenant.
    pub identity: Option<Identity>,
    /// What the policies of the tables say.
    pub(crate) expressions: Arc<Expressions>,
    by_oid: BTreeMap<Oid, usize>,
}

impl Model {
    /// The tenant-scoped table with this OID.
    pub fn table(&self, oid: Oid) -> Option<&TenantTable> {
        self.by_oid.get(&oid).map(|&index| &self.tables[index])
    }

    /// The tenants table, if there is one.
    pub fn root(&self) -> Option<&TenantTable> {
        self.tables
            .iter()
            .find(|table| matches!(table.scope, Scope::Root { .. }) && table.part_of.is_none())
    }

    /// The number of the column that holds the tenant, in a table that has one.
    pub fn tenant_column_of(&self, oid: Oid) -> Option<i16> {
        self.table(oid).and_then(TenantTable::tenant_column)
    }
}
