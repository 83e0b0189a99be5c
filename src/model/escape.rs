//! Ways in which a role is not subject to row security at all, or can stop being subject to it.

use std::collections::BTreeMap;

use super::doors::ModelDoor;
use super::scope::TenantTable;
use crate::audit::DoorKind;
use crate::catalog::{Catalog, Oid, Role};

/// Predefined roles that reach the files or programs of the server, and with them every row.
const SERVER_ACCESS: [&str; 3] = [
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
];

/// How a role becomes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It is that role.
    Is,
    /// It has that role's privileges without doing anything.
    Inherits,
    /// SET ROLE.
    SetRole,
    /// It may grant that role to itself (ADMIN OPTION).
    Admin,
    /// It may grant that role to itself (CREATEROLE before PostgreSQL 16).
    CreateRole,
}

/// Why row security does not hold a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EscapeKind {
    /// SUPERUSER.
    Superuser,
    /// BYPASSRLS.
    BypassRls,
    /// It owns these tenant-scoped tables: it bypasses row security where that is not FORCEd, and can switch it off.
    Owner(Vec<Oid>),
    /// It reaches the server's files or programs.
    ServerAccess,
}

/// One way out of row security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escape {
    /// The role that row security does not hold.
    pub role: Oid,
    /// How the audited role becomes it.
    pub step: Step,
    /// Why row security does not hold it.
    pub kind: EscapeKind,
}

impl Escape {
    /// Whether every tenant-scoped table is open, not just some.
    pub fn is_total(&self, tables: &[TenantTable]) -> bool {
        match &self.kind {
            EscapeKind::Owner(owned) => owned.len() == tables.len(),
            _ => true,
        }
    }

    /// Whether it opens the door: every one, or those of the tables that it owns.
    pub fn opens(&self, door: &ModelDoor) -> bool {
        match &self.kind {
            EscapeKind::Owner(owned) => {
                matches!(
                    door.kind,
                    DoorKind::Table | DoorKind::Partition | DoorKind::ForeignTable
                ) && owned.contains(&door.oid)
            }
            _ => true,
        }
    }

    /// In words.
    pub fn describe(&self, catalog: &Catalog) -> String {
        let name = catalog.role_name(self.role);
        let what = match &self.kind {
            EscapeKind::Superuser => "is a superuser".to_owned(),
            EscapeKind::BypassRls => "has BYPASSRLS".to_owned(),
            EscapeKind::Owner(owned) => format!("owns {} of the tenant-scoped tables", owned.len()),
            EscapeKind::ServerAccess => "reaches the server's files or programs".to_owned(),
        };
        match self.step {
            Step::Is => what,
            Step::Inherits => format!("has the privileges of {name}, which {what}"),
            Step::SetRole => format!("may SET ROLE {name}, which {what}"),
            Step::Admin => format!("may grant itself {name} (ADMIN OPTION), which {what}"),
            Step::CreateRole => format!("may grant itself {name} (CREATEROLE), which {what}"),
        }
    }
}

/// Every role that `role` is or can become, with the shortest way.
pub(super) fn reachable(catalog: &Catalog, role: &Role) -> BTreeMap<Oid, Step> {
    let actor = catalog.actor(role);
    let mut steps = BTreeMap::new();
    if role.superuser {
        // It needs no other role.
        return BTreeMap::from([(role.oid, Step::Is)]);
    }
    let administrable = catalog.reach(role.oid, |membership| membership.set || membership.admin);
    // Before PostgreSQL 16, CREATEROLE may grant any role that is no superuser, predefined ones included; afterwards only
    // what it administers. Nobody can be made a member of pg_database_owner.
    let creates_roles = |oid: &Oid| catalog.roles.get(*oid).is_some_and(|role| role.create_role);
    if catalog.server.major() < 16 && administrable.iter().any(creates_roles) {
        let others = catalog
            .roles
            .iter()
            .filter(|other| !other.superuser && other.name != "pg_database_owner");
        steps.extend(others.map(|other| (other.oid, Step::CreateRole)));
    }
    steps.extend(administrable.iter().map(|&oid| (oid, Step::Admin)));
    steps.extend(actor.may_become.iter().map(|&oid| (oid, Step::SetRole)));
    steps.extend(actor.has_privileges_of.iter().map(|&oid| (oid, Step::Inherits)));
    steps.insert(role.oid, Step::Is);
    steps
}

/// Every way out of row security for `role`.
pub(super) fn escapes(catalog: &Catalog, role: &Role, tables: &[TenantTable]) -> Vec<Escape> {
    let actor = catalog.actor(role);
    let mut list = Vec::new();
    for (oid, step) in reachable(catalog, role) {
        let Some(other) = catalog.roles.get(oid) else {
            continue;
        };
        // Attributes are not inherited: SET ROLE is needed, and may be allowed as well.
        let by_attribute = match step {
            Step::Inherits if actor.may_become.contains(&oid) => Some(Step::SetRole),
            Step::Inherits => None,
            other => Some(other),
        };
        if let Some(step) = by_attribute {
            if other.superuser {
                list.push(Escape {
                    role: oid,
                    step,
                    kind: EscapeKind::Superuser,
                });
                continue;
            }
            if other.bypass_rls {
                list.push(Escape {
                    role: oid,
                    step,
                    kind: EscapeKind::BypassRls,
                });
            }
        }
        if SERVER_ACCESS.contains(&other.name.as_str()) {
            list.push(Escape {
                role: oid,
                step,
                kind: EscapeKind::ServerAccess,
            });
        }
        let owned: Vec<Oid> = tables
            .iter()
            .filter(|table| {
                let relation = catalog.relations.get(table.relation);
                relation.is_some_and(|relation| relation.owner == oid)
            })
            .map(|table| table.relation)
            .collect();
        if !owned.is_empty() {
            list.push(Escape {
                role: oid,
                step,
                kind: EscapeKind::Owner(owned),
            });
        }
    }
    list
}
