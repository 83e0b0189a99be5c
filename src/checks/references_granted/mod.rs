//! The audited role may refer to a tenant-scoped table by foreign keys of its own.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::Privilege;
use crate::checks::words::creatable_schemas;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may refer to a tenant-scoped table by foreign keys of its own",
    severity: Severity::Warning,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables() {
        for role in context.roles() {
            let granted = role.actor.on_any_column(relation).has(Privilege::References);
            if !granted || role.actor.acts_as_owner(relation.owner) {
                continue;
            }
            let Ok(name) = Ident::new(role.name.as_str()) else {
                continue;
            };
            // Without a place for a table of its own, there is nothing to refer from.
            let severity = if creatable_schemas(context, role).is_empty() {
                Severity::Info
            } else {
                Severity::Warning
            };
            findings.add(
                About::new(relation.object()).by(&role.name).severity(severity),
                format!(
                    "{} was granted REFERENCES: a foreign key of its own tells which keys exist, whoever's they are, and keeps them from being deleted",
                    role.name
                ),
                format!("REVOKE REFERENCES ON {} FROM {name};", relation.qualified_name()),
            );
        }
    }
}
