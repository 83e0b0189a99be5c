//! A foreign table with tenants' rows is open to the audited role: no policy applies to it.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::RelationKind;
use crate::checks::words::list;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "a foreign table with tenants' rows is open to the audited role",
    severity: Severity::Error,
    group: Group::Routing,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables() {
        if relation.kind != RelationKind::ForeignTable {
            continue;
        }
        for role in context.roles() {
            let commands = context.commands(role, relation);
            let Some(name) = Ident::new(role.name.as_str())
                .ok()
                .filter(|_| !commands.is_empty())
            else {
                continue;
            };
            findings.add(
                About::new(relation.object()).by(&role.name),
                format!(
                    "{} may {} it, no policy applies to a foreign table, and the other server does not know the tenant",
                    role.name,
                    list(commands.iter().map(|command| command.as_sql()))
                ),
                format!(
                    "REVOKE ALL ON {} FROM {name}; and show it through a security_barrier view that compares the tenant column",
                    relation.qualified_name()
                ),
            );
        }
    }
}
