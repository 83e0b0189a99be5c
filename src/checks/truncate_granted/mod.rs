//! The audited role may TRUNCATE a tenant-scoped table.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may TRUNCATE a tenant-scoped table",
    severity: Severity::Error,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables() {
        for role in context.roles() {
            // An owner may do that and more: role-owns-tables.
            if role.actor.acts_as_owner(relation.owner)
                || !context.commands(role, relation).contains(&Command::Truncate)
            {
                continue;
            }
            let Ok(name) = Ident::new(role.name.as_str()) else {
                continue;
            };
            let cure = format!("REVOKE TRUNCATE ON {} FROM {name};", relation.qualified_name());
            findings.add(
                About::new(relation.object())
                    .by(&role.name)
                    .doing(Command::Truncate)
                    .mended_by(cure.clone()),
                format!(
                    "{} may TRUNCATE: row security does not apply, all tenants' rows go",
                    role.name
                ),
                cure,
            );
        }
    }
}
