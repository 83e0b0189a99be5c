//! Which roles are audited: those that the user names, else those that look like an application's.

use std::collections::{BTreeMap, BTreeSet};

use super::config::Config;
use super::escape::{self, Escape, EscapeKind, Step};
use super::names::nearest;
use super::scope::TenantTable;
use crate::catalog::{Actor, Catalog, Oid, Privilege, Relation, Role};
use crate::error::{Error, Result};

/// A role that is audited.
#[derive(Debug, Clone)]
pub struct AuditedRole {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its memberships followed.
    pub actor: Actor,
    /// Why it is audited.
    pub ground: String,
    /// Ways in which row security does not hold it.
    pub escapes: Vec<Escape>,
    /// Roles that it can become and that row security holds: they may see more than it does.
    pub becomes: Vec<(Oid, Step)>,
}

impl AuditedRole {
    fn new(catalog: &Catalog, role: &Role, tables: &[TenantTable], ground: &str) -> Self {
        let escapes = escape::escapes(catalog, role, tables);
        let actor = catalog.actor(role);
        let becomes = escape::reachable(catalog, role)
            .into_iter()
            .filter(|(oid, step)| {
                !matches!(step, Step::Is | Step::Inherits)
                    && !escapes.iter().any(|escape| escape.role == *oid)
                    && catalog.roles.get(*oid).is_some_and(|role| !role.is_predefined())
            })
            .collect();
        Self {
            oid: role.oid,
            name: role.name.clone(),
            actor,
            ground: ground.to_owned(),
            escapes,
            becomes,
        }
    }

    /// A way out of row security that opens every tenant-scoped table.
    pub fn total_escape(&self, tables: &[TenantTable]) -> Option<&Escape> {
        self.escapes.iter().find(|escape| escape.is_total(tables))
    }
}

/// The audited roles.
pub(super) fn audited(
    catalog: &Catalog,
    config: &Config,
    tables: &[TenantTable],
    views: &BTreeMap<Oid, BTreeSet<Oid>>,
) -> Result<Vec<AuditedRole>> {
    if config.roles.is_empty() {
        return detect(catalog, tables, views);
    }
    let mut names = config.roles.clone();
    names.sort();
    names.dedup();
    names
        .iter()
        .map(|name| {
            let role = catalog.role_named(name).ok_or_else(|| unknown(catalog, name))?;
            Ok(AuditedRole::new(catalog, role, tables, "named by the user"))
        })
        .collect()
}

fn unknown(catalog: &Catalog, name: &str) -> Error {
    let error = Error::input(format!("there is no role {name:?}"));
    let known = catalog.roles.iter().filter(|role| !role.is_predefined());
    match nearest(name, known.map(|role| role.name.as_str())) {
        Some(other) => error.with_help(format!("did you mean {other:?}?")),
        None => error.with_help("give --role the role that the application connects as"),
    }
}

/// Login roles with table privileges that are no administrators; else, where applications log in as somebody and then
/// SET ROLE, roles without login that policies or grants are made for.
fn detect(
    catalog: &Catalog,
    tables: &[TenantTable],
    views: &BTreeMap<Oid, BTreeSet<Oid>>,
) -> Result<Vec<AuditedRole>> {
    let tenant = tables.iter().map(|table| table.relation);
    let relations: Vec<_> = tenant
        .chain(views.keys().copied())
        .filter_map(|oid| catalog.relations.get(oid))
        .collect();
    let mut rejected = Vec::new();
    let (mut logins, mut others) = (Vec::new(), Vec::new());
    for role in &catalog.roles {
        if role.is_predefined() {
            continue;
        }
        let actor = catalog.actor(role);
        if !role.superuser
            && !relations
                .iter()
                .any(|relation| may_touch(catalog, &actor, relation))
        {
            continue;
        }
        let escapes = escape::escapes(catalog, role, tables);
        let administrator = escapes.iter().find(|escape| {
            // What it can become is a defect of an application's role; what it is makes it an administrator.
            matches!(escape.step, Step::Is | Step::Inherits)
                && !matches!(escape.kind, EscapeKind::ServerAccess)
        });
        match administrator {
            Some(escape) if role.login => {
                rejected.push(format!("{} {}", role.name, escape.describe(catalog)));
            }
            Some(_) => {}
            None if role.login => logins.push(role),
            None => others.push(role),
        }
    }
    let (roles, ground) = if logins.is_empty() {
        (
            others,
            "detected: has privileges on tenant-scoped tables, and no login role does",
        )
    } else {
        (
            logins,
            "detected: logs in, has privileges on tenant-scoped tables, is no administrator",
        )
    };
    if roles.is_empty() {
        let mut message = "no role looks like the application's: none but administrators has privileges on tenant-scoped tables"
            .to_owned();
        if !rejected.is_empty() {
            message = format!("{message} ({})", rejected.join("; "));
        }
        return Err(Error::input(message).with_help("give --role the role that the application connects as"));
    }
    Ok(roles
        .into_iter()
        .map(|role| AuditedRole::new(catalog, role, tables, ground))
        .collect())
}

fn may_touch(catalog: &Catalog, actor: &Actor, relation: &Relation) -> bool {
    let privileges = actor.on_any_column(relation);
    [
        Privilege::Select,
        Privilege::Insert,
        Privilege::Update,
        Privilege::Delete,
        Privilege::Truncate,
    ]
    .into_iter()
    .any(|privilege| privileges.has(privilege))
        && catalog.may_use_schema(actor, &relation.schema)
}
