//! The audited role owns tenant-scoped tables, or has their owner's privileges.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::Relation;
use crate::model::{EscapeKind, Step};

pub(crate) static CHECK: Check = Check {
    summary: "the audited role owns tenant-scoped tables",
    severity: Severity::Error,
    group: Group::Roles,
    since: "0.1.0",
    run,
};

const HELP: &str = "give the tables to a role that the application is no member of: \
                    ALTER TABLE … OWNER TO …; and GRANT the application what it needs";

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let name = |oid| {
        context
            .catalog
            .relations
            .get(oid)
            .map(Relation::plain_name)
            .unwrap_or_default()
    };
    for role in &context.model.roles {
        let bypasses = |kind: &EscapeKind| matches!(kind, EscapeKind::Superuser | EscapeKind::BypassRls);
        if role
            .escapes
            .iter()
            .any(|escape| escape.step == Step::Is && bypasses(&escape.kind))
        {
            continue;
        }
        for escape in &role.escapes {
            let (EscapeKind::Owner(owned), Step::Is | Step::Inherits) = (&escape.kind, escape.step) else {
                continue;
            };
            let holder = context.catalog.role_name(escape.role);
            let how = if escape.step == Step::Is {
                String::new()
            } else {
                format!(" through its membership in {holder}")
            };
            // One finding on the role where it owns all of them, else one on each table.
            if escape.is_total(&context.model.tables) {
                let example = owned.first().map(|&oid| name(oid)).unwrap_or_default();
                findings.add(
                    About::new(Object::Role(role.name.clone())).by(&role.name).part(holder),
                    format!(
                        "{} owns every tenant-scoped table{how} ({example}, …): it bypasses row security or switches it off",
                        role.name
                    ),
                    HELP,
                );
                continue;
            }
            for relation in owned.iter().filter_map(|&oid| context.catalog.relations.get(oid)) {
                let effect = if relation.row_security && relation.force_row_security {
                    "it can switch row security off"
                } else {
                    "row security does not apply to it"
                };
                findings.add(
                    About::new(relation.object()).by(&role.name),
                    format!("{} owns {}{how}: {effect}", role.name, relation.plain_name()),
                    HELP,
                );
            }
        }
    }
}
