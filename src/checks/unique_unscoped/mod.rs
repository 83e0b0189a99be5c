//! Unique and exclusion constraints over all tenants together.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::{Column, Constraint, Index, Privilege, Relation};
use crate::checks::words::list;
use crate::model::{AuditedRole, Scope, TenantTable};

/// `uuid`
const UUID: u32 = 2950;

pub(crate) static CHECK: Check = Check {
    summary: "a unique constraint over all tenants tells which values others have",
    severity: Severity::Warning,
    group: Group::Structure,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables().filter(|(table, _)| table.part_of.is_none()) {
        let scope = scope_columns(table, relation);
        let indexes = relation
            .indexes
            .iter()
            .filter(|index| index.unique || index.exclusion);
        for index in indexes.filter(|index| !is_scoped(index, relation, &scope)) {
            for role in context.roles() {
                if !may_try(role, table, relation, index) {
                    continue;
                }
                let names = list(relation.column_names(&index.keys));
                let names = if names.is_empty() {
                    "an expression".to_owned()
                } else {
                    names
                };
                // Nobody guesses a random key, and what a counter tells is the sequence's affair.
                let severity = if is_surrogate(relation, index) {
                    Severity::Info
                } else {
                    Severity::Warning
                };
                findings.add(
                    About::new(relation.object()).by(&role.name).part(&index.name).severity(severity),
                    format!(
                        "{} is unique over all tenants ({names}): an error tells {} that some tenant has a value",
                        index.name, role.name
                    ),
                    "begin the key with the tenant column: UNIQUE (tenant column, …)",
                );
            }
        }
    }
}

/// The columns that make a key one tenant's: the tenant column, or those that lead to the parent.
fn scope_columns(table: &TenantTable, relation: &Relation) -> Vec<i16> {
    match table.scope {
        Scope::Column { column } => vec![column],
        Scope::Root { key } | Scope::Identity { key } => vec![key],
        Scope::Child { constraint, .. } => {
            let own = |known: &&Constraint| known.oid == constraint;
            let constraint = relation.constraints.iter().find(own);
            constraint
                .map(|constraint| constraint.columns.clone())
                .unwrap_or_default()
        }
    }
}

fn is_scoped(index: &Index, relation: &Relation, scope: &[i16]) -> bool {
    let in_expression = |number: i16| {
        let name = relation.column(number).map(|column| &column.name);
        let expressions = index.expressions.as_deref().unwrap_or_default();
        name.is_some_and(|name| {
            expressions
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| *word == **name)
        })
    };
    !scope.is_empty()
        && scope
            .iter()
            .all(|column| index.keys.contains(column) || in_expression(*column))
}

/// Whether the role may write a value of its choice.
fn may_try(role: &AuditedRole, table: &TenantTable, relation: &Relation, index: &Index) -> bool {
    let columns: Vec<&Column> = index
        .keys
        .iter()
        .filter_map(|&number| relation.column(number))
        .collect();
    let has = |column: &&Column, privilege| role.actor.on_column(relation, column).has(privilege);
    let updates = columns
        .iter()
        .any(|column| column.generated.is_none() && has(column, Privilege::Update));
    let inserts = columns.iter().all(|column| {
        column.generated.is_none() && column.identity != Some('a') && has(column, Privilege::Insert)
    }) && role.actor.on_any_column(relation).has(Privilege::Insert);
    // A tenant inserts no tenant but itself, which fails at the primary key before a deferrable constraint is looked at.
    let root = matches!(table.scope, Scope::Root { .. });
    let constraint = relation
        .constraints
        .iter()
        .find(|constraint| constraint.index == index.oid);
    let deferrable = constraint.is_some_and(|constraint| constraint.deferrable);
    updates || inserts && !(root && deferrable)
}

/// A key of one column that the database makes: random, or a counter.
fn is_surrogate(relation: &Relation, index: &Index) -> bool {
    let [number] = index.keys[..] else {
        return false;
    };
    relation.column(number).is_some_and(|column| {
        let made = column
            .default
            .as_deref()
            .is_some_and(|default| default.contains('('));
        column.type_oid == UUID || column.identity.is_some() || made
    })
}
