//! Large objects that the audited role may read or change: they have no row security.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::Privilege;

pub(crate) static CHECK: Check = Check {
    summary: "large objects are shared by all tenants",
    severity: Severity::Warning,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for role in context.roles() {
        let reached = context.catalog.large_objects.iter().filter(|objects| {
            let granted = role.actor.privileges(&objects.acl);
            role.actor.acts_as_owner(objects.owner)
                || granted.has(Privilege::Select)
                || granted.has(Privilege::Update)
        });
        let count: i64 = reached.map(|objects| objects.count).sum();
        if count > 0 {
            findings.add(
                About::new(Object::Database(context.catalog.server.database.clone())).by(&role.name),
                format!(
                    "{} reaches {count} large objects, to which no policy applies: every tenant's session has them all",
                    role.name
                ),
                "keep such data in a bytea column of a table with row security, or let a SECURITY DEFINER function that checks the tenant hand it out",
            );
        }
    }
}
