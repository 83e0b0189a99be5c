//! The audited role may put triggers on a tenant-scoped table.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::Privilege;
use crate::checks::words::creatable_schemas;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may put triggers on a tenant-scoped table",
    severity: Severity::Error,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables() {
        for role in context.roles() {
            let granted = role.actor.on_relation(relation).has(Privilege::Trigger);
            if !granted || role.actor.acts_as_owner(relation.owner) {
                continue;
            }
            // A trigger in pg_temp cannot be put on a permanent table by name, but its function can stand there.
            let (severity, how) = if creatable_schemas(context, role).is_empty() {
                (
                    Severity::Warning,
                    "may put any function that returns trigger on it",
                )
            } else {
                (
                    Severity::Error,
                    "may put a function of its own on it, which then runs in other tenants' sessions and sees their rows",
                )
            };
            let Ok(name) = Ident::new(role.name.as_str()) else {
                continue;
            };
            findings.add(
                About::new(relation.object()).by(&role.name).severity(severity),
                format!("{} was granted TRIGGER: it {how}", role.name),
                format!("REVOKE TRIGGER ON {} FROM {name};", relation.qualified_name()),
            );
        }
    }
}
