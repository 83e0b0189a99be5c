//! Row security does not apply to the table's owner.

use crate::audit::{About, Check, Context, Findings, Group, Severity};

pub(crate) static CHECK: Check = Check {
    summary: "row security does not apply to the table's owner",
    severity: Severity::Warning,
    group: Group::Enforcement,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables() {
        let forced = !relation.row_security || relation.force_row_security;
        if forced || !relation.kind.has_row_security() || table.part_of.is_some() {
            continue;
        }
        if context
            .model
            .roles
            .iter()
            .any(|role| role.actor.acts_as_owner(relation.owner))
        {
            // Worse, and reported as such: role-owns-tables.
            continue;
        }
        let owner = context.catalog.role_name(relation.owner);
        let bypasses = context
            .catalog
            .roles
            .get(relation.owner)
            .filter(|role| role.superuser || role.bypass_rls);
        // FORCE changes nothing for such an owner, until another one takes its place.
        let severity = if bypasses.is_some() {
            Severity::Info
        } else {
            Severity::Warning
        };
        let cure = format!(
            "ALTER TABLE {} FORCE ROW LEVEL SECURITY;",
            relation.qualified_name()
        );
        findings.add(
            About::new(relation.object())
                .severity(severity)
                .mended_by(cure.clone()),
            format!("row security does not apply to its owner {owner}, nor to views and functions that run as {owner}"),
            cure,
        );
    }
}
