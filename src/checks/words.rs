//! Questions and wordings that several checks share.

use std::collections::BTreeSet;

use crate::audit::{About, Command, Context, Findings, Rows, policy_command};
use crate::catalog::{Privilege, Relation, Role};
use crate::model::expression::{RowTenant, State};
use crate::model::{AuditedRole, accesses};

/// `a`, `a and b`, `a, b and c`; of many, the first ones and how many more.
pub(crate) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 4;
    let items: Vec<T> = items.into_iter().collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] if items.len() <= SHOWN => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
        _ => {
            let first: Vec<&str> = items.iter().take(SHOWN - 1).map(AsRef::as_ref).collect();
            format!("{} and {} more", first.join(", "), items.len() - first.len())
        }
    }
}

/// The expression that decides about a command: of UPDATE, which rows may be changed.
pub(crate) fn rows_of(command: Command) -> Rows {
    match command {
        Command::Insert => Rows::New,
        _ => Rows::Existing,
    }
}

/// Reports policies that let a session through in `state`, which is bound to no tenant, and not when it is bound.
pub(crate) fn admitted_unbound(
    context: &Context<'_>,
    findings: &mut Findings<'_>,
    state: State,
    when: &str,
    help: &str,
) {
    for held in context.held() {
        let (mut open, mut policies) = (BTreeSet::new(), BTreeSet::new());
        for &command in &held.commands {
            // Rows are reached and none can be written: nothing comes of it.
            if context.is_proven(held, command) {
                continue;
            }
            let Some(of_policy) = policy_command(command) else {
                continue;
            };
            let applied = Context::applied(&held.role.actor, held.relation, of_policy);
            let admitting = |state| {
                let world = held.world(context, state, RowTenant::Foreign);
                context.admitting(&applied, rows_of(command), &world)
            };
            let admitted = admitting(state);
            // Open whatever is bound: policy-always-true.
            if !admitted.is_empty() && admitting(State::Bound).is_empty() {
                open.insert(command);
                policies.extend(admitted.iter().map(|policy| &*policy.name));
            }
        }
        if open.is_empty() {
            continue;
        }
        let single = open.first().copied().filter(|_| open.len() == 1);
        let mut about = About::new(held.relation.object()).by(&held.role.name);
        if let Some(command) = single {
            about = about.doing(command);
        }
        findings.add(
            about,
            format!(
                "policy {} is true for every row while {} {when}: {} may {} every tenant's rows",
                list(policies),
                context.model.tenant_setting,
                held.role.name,
                list(open.iter().map(|command| command.as_sql()))
            ),
            help,
        );
    }
}

/// Schemas, not temporary ones, in which the role may create objects.
pub(crate) fn creatable_schemas<'a>(context: &Context<'a>, role: &AuditedRole) -> Vec<&'a str> {
    let schemas = context.catalog.schemas.iter();
    schemas
        .filter(|schema| role.actor.privileges(&schema.acl).has(Privilege::Create))
        .map(|schema| &*schema.name)
        .collect()
}

/// The tenant-scoped tables that a view reads as a role whom row security does not hold there.
pub(crate) fn tables_read_unheld<'a>(context: &Context<'a>, view: &Relation) -> Vec<&'a Relation> {
    // A table without row security has a finding of its own.
    tables_read(context, view, |reader, table| {
        table.row_security && context.bypasses(reader, table)
    })
}

/// The tenant-scoped tables of which nothing but the view's own condition keeps rows back: those read unheld, and those
/// without row security, on which the role may have no privilege but through the view.
pub(crate) fn tables_read_unfiltered<'a>(context: &Context<'a>, view: &Relation) -> Vec<&'a Relation> {
    tables_read(context, view, |reader, table| context.bypasses(reader, table))
}

fn tables_read<'a>(
    context: &Context<'a>,
    view: &Relation,
    wanted: impl Fn(&Role, &Relation) -> bool,
) -> Vec<&'a Relation> {
    let mut tables: Vec<_> = accesses(context.catalog, view)
        .into_iter()
        .filter(|(oid, _)| context.model.table(*oid).is_some())
        .filter_map(|(oid, reader)| {
            let table = context.catalog.relations.get(oid)?;
            let reader = context.catalog.roles.get(reader?)?;
            wanted(reader, table).then_some(table)
        })
        .collect();
    tables.sort_by_key(|table| (&table.schema, &table.name));
    tables.dedup_by_key(|table| table.oid);
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(list(["a"]), "a");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
        assert_eq!(list(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
