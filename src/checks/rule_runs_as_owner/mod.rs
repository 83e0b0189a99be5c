//! A rule works on tenants' rows as an owner whom row security does not hold.

use crate::audit::{About, Check, Context, DoorKind, Findings, Group, Severity};
use crate::catalog::Relation;
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "a rule works on tenants' rows as an owner whom row security does not hold",
    severity: Severity::Warning,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let doors = context
        .model
        .doors
        .iter()
        .filter(|door| door.kind == DoorKind::Rule);
    for door in doors {
        let of_rule = |relation: &&Relation| relation.rules.iter().any(|rule| rule.oid == door.oid);
        let Some(relation) = context.catalog.relations.iter().find(of_rule) else {
            continue;
        };
        let Some(owner) = context.catalog.roles.get(relation.owner) else {
            continue;
        };
        if !context.roles().any(|role| role.oid == door.role) {
            continue;
        }
        let tables: Vec<_> = door
            .tables
            .iter()
            .filter_map(|&oid| context.catalog.relations.get(oid))
            .filter(|table| table.row_security && context.bypasses(owner, table))
            .map(Relation::plain_name)
            .collect();
        if tables.is_empty() {
            continue;
        }
        findings.add(
            About::new(door.object.clone()).by(&door.role_name).doing(door.command),
            format!(
                "the rule works on {} as {}, the owner of {}, whom row security does not hold",
                list(tables),
                owner.name,
                relation.plain_name()
            ),
            "use a trigger, whose function runs as the caller, or let a role own the relation that the policies hold",
        );
    }
}
