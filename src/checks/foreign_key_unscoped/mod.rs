//! Foreign keys between tenants' tables that do not include the tenant.

use crate::audit::{About, Check, Context, Findings, Group, Severity, policy_command};
use crate::catalog::{Constraint, ForeignKey, Oid, Privilege, Relation};
use crate::checks::words::list;
use crate::model::{AuditedRole, Scope, TenantTable};

pub(crate) static CHECK: Check = Check {
    summary: "a foreign key lets a row refer to another tenant's row",
    severity: Severity::Warning,
    group: Group::Structure,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables().filter(|(table, _)| table.part_of.is_none()) {
        for (constraint, key) in relation.foreign_keys() {
            let Some(parent) = context.model.table(key.relation) else {
                continue;
            };
            if is_scoped(table, parent, constraint, key) {
                continue;
            }
            let Some(referenced) = context.catalog.relations.get(key.relation) else {
                continue;
            };
            for role in context.roles() {
                let writes = may_write(role, relation, &constraint.columns, Privilege::Insert)
                    || may_write(role, relation, &constraint.columns, Privilege::Update);
                if writes && !policies_look(context, role, relation, key.relation) {
                    report(findings, relation, referenced, constraint, key, role);
                }
            }
        }
    }
}

/// Whether the rows on both sides are of one tenant because the key says so, or because it decides whose the row is.
fn is_scoped(table: &TenantTable, parent: &TenantTable, constraint: &Constraint, key: &ForeignKey) -> bool {
    if let Scope::Child {
        constraint: decides, ..
    } = table.scope
    {
        return decides == constraint.oid;
    }
    // Users are of no one tenant: who belongs to which is for another table to say.
    if matches!(parent.scope, Scope::Identity { .. }) {
        return true;
    }
    let (own, other) = (table.tenant_column(), parent.tenant_column());
    let mut pairs = constraint.columns.iter().zip(&key.columns);
    pairs.any(|(column, referenced)| own == Some(*column) && other == Some(*referenced))
}

fn may_write(role: &AuditedRole, relation: &Relation, columns: &[i16], privilege: Privilege) -> bool {
    let mut columns = columns.iter().filter_map(|&number| relation.column(number));
    columns.any(|column| role.actor.on_column(relation, column).has(privilege))
}

/// Whether a policy looks the referenced row up before it lets the new row in.
fn policies_look(context: &Context<'_>, role: &AuditedRole, relation: &Relation, parent: Oid) -> bool {
    let commands = context.commands(role, relation);
    let policies = commands
        .into_iter()
        .filter_map(policy_command)
        .map(|command| Context::applied(&role.actor, relation, command))
        .flat_map(|applied| applied.permissive.into_iter().chain(applied.restrictive));
    relation.row_security
        && policies
            .into_iter()
            .any(|policy| policy.reads.iter().any(|read| read.relation == parent))
}

fn report(
    findings: &mut Findings<'_>,
    relation: &Relation,
    referenced: &Relation,
    constraint: &Constraint,
    key: &ForeignKey,
    role: &AuditedRole,
) {
    let deletes = key.on_delete.changes_rows() && role.actor.on_relation(referenced).has(Privilege::Delete);
    let updates =
        key.on_update.changes_rows() && may_write(role, referenced, &key.columns, Privilege::Update);
    let parent = referenced.plain_name();
    let columns = list(relation.column_names(&constraint.columns));
    let about = About::new(relation.object())
        .by(&role.name)
        .part(&constraint.name);
    let help = format!(
        "make it (tenant column, {columns}) REFERENCES {} with a unique key there that begins with the tenant column",
        referenced.qualified_name()
    );
    if deletes || updates {
        let verb = if deletes { "deletes" } else { "changes the key of" };
        findings.add(
            about.severity(Severity::Error),
            format!(
                "the foreign key {} does not include the tenant: a row may refer to another tenant's row of {parent}, and is changed with it when that tenant {verb} it",
                constraint.name
            ),
            help,
        );
    } else {
        findings.add(
            about,
            format!(
                "the foreign key {} does not include the tenant: a row may refer to another tenant's row of {parent}, and an error tells which keys exist",
                constraint.name
            ),
            help,
        );
    }
}
