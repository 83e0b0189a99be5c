//! Questions about functions that several checks share: what the body names, as whom it runs, and whether the caller can
//! put something else in the place of what it names.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{Bodies, Body, Command, Context, DoorKind, Held};
use crate::catalog::{Function, Oid, Policy, Privilege, Relation};
use crate::model::AuditedRole;

/// How a caller can change what a function's names mean.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shadow {
    /// Not at all.
    None,
    /// It has no search_path of its own, and the caller may create functions somewhere.
    Path,
    /// It names these relations without a schema, where temporary ones are looked up first.
    Relations(Vec<String>),
    /// The same for types that it casts to.
    Types(Vec<String>),
}

/// SECURITY DEFINER functions that an audited role may call or sets off by a trigger, each with the role.
pub(crate) fn callable_definers<'a>(context: &Context<'a>) -> Vec<(&'a AuditedRole, &'a Function)> {
    let catalog = context.catalog;
    let triggers: BTreeMap<Oid, Oid> = catalog
        .relations
        .iter()
        .flat_map(|relation| &relation.triggers)
        .map(|trigger| (trigger.oid, trigger.function))
        .collect();
    let (mut list, mut seen) = (Vec::new(), BTreeSet::new());
    for role in context.roles() {
        for door in context.model.doors.iter().filter(|door| door.role == role.oid) {
            let oid = match door.kind {
                DoorKind::Function => Some(door.oid),
                DoorKind::Trigger => triggers.get(&door.oid).copied(),
                _ => None,
            };
            let function = oid.and_then(|oid| catalog.functions.get(oid));
            if let Some(function) = function.filter(|function| seen.insert((role.oid, function.oid))) {
                list.push((role, function));
            }
        }
    }
    list
}

/// Whether row security does not hold the role on a tenant-scoped table that it may use.
pub(crate) fn runs_unheld(context: &Context<'_>, owner: Oid) -> bool {
    let Some(role) = context.catalog.roles.get(owner) else {
        return false;
    };
    let actor = context.catalog.actor(role);
    context.tables().any(|(_, relation)| {
        // A table without row security has a finding of its own.
        relation.row_security
            && context.bypasses(role, relation)
            && (role.superuser || !actor.on_any_column(relation).is_empty())
    })
}

/// The functions, not PostgreSQL's own, that policies of the role call there, each with the policy.
pub(crate) fn helpers<'a>(context: &Context<'a>, held: &Held<'a>) -> Vec<(&'a Policy, &'a Function)> {
    held.policies()
        .flat_map(|policy| policy.calls.iter().map(move |&oid| (policy, oid)))
        .filter_map(|(policy, oid)| Some((policy, context.catalog.functions.get(oid)?)))
        .filter(|(_, function)| function.extension.is_none())
        .collect()
}

fn body<'c, 'a>(context: &'c Context<'a>, function: &Function) -> Option<&'c Body<'a>> {
    let bodies = context.bodies.get_or_init(|| Bodies::read(context.catalog));
    bodies.of(function)
}

/// The relations that a body names, with a schema or without.
pub(crate) fn tables_named<'c, 'a>(context: &'c Context<'a>, function: &Function) -> &'c [&'a Relation] {
    body(context, function)
        .map(|body| &body.tables[..])
        .unwrap_or_default()
}

/// Whether the body looks at who is asking, or calls a function of the project's that might.
pub(crate) fn asks_who(context: &Context<'_>, function: &Function) -> bool {
    body(context, function).is_some_and(|body| body.asks_who)
}

/// How `role` can change what the names in the function's body mean.
pub(crate) fn shadow(context: &Context<'_>, role: &AuditedRole, function: &Function) -> Shadow {
    let catalog = context.catalog;
    let text = function
        .body
        .as_deref()
        .filter(|body| !body.is_empty() && function.body_tree.is_none());
    if text.is_none() || !matches!(&*function.language, "sql" | "plpgsql") {
        return Shadow::None;
    }
    let path: Option<Vec<&str>> = function.setting("search_path").map(|path| {
        path.split(',')
            .map(|part| part.trim().trim_matches('"'))
            .filter(|part| !part.is_empty())
            .collect()
    });
    // An empty path finds no table but temporary ones: the names in such a body have schemas.
    let temporary_first = match path.as_deref() {
        None => true,
        Some([]) => false,
        Some(path) => path.last() != Some(&"pg_temp"),
    };
    let may_make_temporary = role
        .actor
        .privileges(&catalog.server.acl)
        .has(Privilege::Temporary);
    if temporary_first && may_make_temporary {
        let shadowed = body(context, function)
            .map(|body| body.unqualified.clone())
            .unwrap_or_default();
        if !shadowed.is_empty() {
            return Shadow::Relations(shadowed);
        }
    }
    // Types come with every path, an empty one too: PostgreSQL's own are then looked up second.
    let temporary_last = path
        .as_deref()
        .is_some_and(|path| path.last() == Some(&"pg_temp"));
    if may_make_temporary && !temporary_last {
        let types = body(context, function).map(|body| body.types.clone());
        if let Some(types) = types.filter(|types| !types.is_empty()) {
            return Shadow::Types(types);
        }
    }
    let may_create = !super::words::creatable_schemas(context, role).is_empty()
        || role.actor.privileges(&catalog.server.acl).has(Privilege::Create);
    if path.is_none() && may_create {
        Shadow::Path
    } else {
        Shadow::None
    }
}

/// Whether the audited role may run `command` on a relation that is not tenant-scoped.
pub(crate) fn may_write(role: &AuditedRole, relation: &Relation, command: Command) -> bool {
    let privilege = match command {
        Command::Insert => Privilege::Insert,
        Command::Update => Privilege::Update,
        _ => Privilege::Delete,
    };
    role.actor.on_any_column(relation).has(privilege)
}
