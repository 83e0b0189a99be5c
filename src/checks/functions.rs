//! Questions about functions that several checks share: what the body names, as whom it runs, and whether the caller can
//! put something else in the place of what it names.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{Command, Context, DoorKind, Held};
use crate::catalog::{Function, Oid, Policy, Privilege, Relation};
use crate::model::AuditedRole;
use crate::model::expression::{Token, names_read, settings_read, tokens};

/// How a caller can change what a function's names mean.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shadow {
    /// Not at all.
    None,
    /// It has no search_path of its own, and the caller may create functions somewhere.
    Path,
    /// It names these relations without a schema, where temporary ones are looked up first.
    Relations(Vec<String>),
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
    let policies = held.relation.policies.iter();
    let applying = policies.filter(|policy| policy.roles.iter().any(|&oid| held.role.actor.acts_for(oid)));
    applying
        .flat_map(|policy| policy.calls.iter().map(move |&oid| (policy, oid)))
        .filter_map(|(policy, oid)| Some((policy, context.catalog.functions.get(oid)?)))
        .filter(|(_, function)| function.extension.is_none())
        .collect()
}

/// The relations that a body names, with a schema or without.
pub(crate) fn tables_named<'a>(context: &Context<'a>, function: &Function) -> Vec<&'a Relation> {
    let catalog = context.catalog;
    if function.body_tree.is_some() {
        let reads = function.reads.iter();
        return reads
            .filter_map(|read| catalog.relations.get(read.relation))
            .collect();
    }
    let body = tokens(function.body.as_deref().unwrap_or_default());
    let names = without_ctes(&body, names_read(&body));
    let named = |relation: &&Relation| {
        names.iter().any(|(schema, name)| {
            **name == *relation.name && schema.as_deref().is_none_or(|schema| *schema == *relation.schema)
        })
    };
    if names.is_empty() {
        return Vec::new();
    }
    catalog.relations.iter().filter(named).collect()
}

/// Whether the body looks at who is asking, or calls a function of the project's that might.
pub(crate) fn asks_who(context: &Context<'_>, function: &Function) -> bool {
    if let Some(tree) = &function.body_tree {
        return !function.calls.is_empty()
            || [
                ":funcid 2077 ",
                ":funcid 3294 ",
                "SQLVALUEFUNCTION",
                ":funcid 745 ",
                ":funcid 746 ",
            ]
            .iter()
            .any(|mark| tree.contains(mark));
    }
    let body = tokens(function.body.as_deref().unwrap_or_default());
    let words = ["current_user", "session_user", "current_role", "current_setting"];
    !settings_read(&body).is_empty()
        || body.iter().enumerate().any(|(place, token)| {
            let Token::Word(word) = token else {
                return false;
            };
            let called = body.get(place + 1) == Some(&Token::Symbol('('));
            let ours = || {
                context
                    .catalog
                    .functions
                    .iter()
                    .any(|other| *other.name == **word && other.oid != function.oid)
            };
            words.contains(&word.as_str()) || called && ours()
        })
}

/// How `role` can change what the names in the function's body mean.
pub(crate) fn shadow(context: &Context<'_>, role: &AuditedRole, function: &Function) -> Shadow {
    let catalog = context.catalog;
    let text = function
        .body
        .as_deref()
        .filter(|body| !body.is_empty() && function.body_tree.is_none());
    let Some(text) = text.filter(|_| matches!(&*function.language, "sql" | "plpgsql")) else {
        return Shadow::None;
    };
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
        let body = tokens(text);
        let names = without_ctes(&body, names_read(&body));
        let shadowed: Vec<_> = names
            .into_iter()
            .filter(|(schema, name)| {
                schema.is_none() && catalog.relations.iter().any(|relation| *relation.name == **name)
            })
            .map(|(_, name)| name)
            .collect();
        if !shadowed.is_empty() {
            return Shadow::Relations(shadowed);
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

/// Without the names that the body itself gives to queries: `WITH name AS (`.
fn without_ctes(
    body: &[Token],
    mut names: BTreeSet<(Option<String>, String)>,
) -> BTreeSet<(Option<String>, String)> {
    for window in body.windows(3) {
        if let [Token::Word(name), Token::Word(word), Token::Symbol('(')] = window {
            if word == "as" {
                names.remove(&(None, name.clone()));
            }
        }
    }
    names
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
