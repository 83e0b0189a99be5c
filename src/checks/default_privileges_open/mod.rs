//! Tables that are made later will be open to the audited role before anybody enables row security on them.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::{PUBLIC, Privilege};
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "tables made later will be open to the audited role",
    severity: Severity::Warning,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    const ROWS: [(Privilege, &str); 5] = [
        (Privilege::Select, "SELECT"),
        (Privilege::Insert, "INSERT"),
        (Privilege::Update, "UPDATE"),
        (Privilege::Delete, "DELETE"),
        (Privilege::Truncate, "TRUNCATE"),
    ];
    for role in context.roles() {
        for defaults in &context.catalog.default_privileges {
            let granted = role.actor.privileges(&defaults.acl);
            let verbs: Vec<_> = ROWS
                .into_iter()
                .filter(|(privilege, _)| granted.has(*privilege))
                .collect();
            // What the role creates itself is its own anyway.
            if defaults.object != 'r' || verbs.is_empty() || defaults.creator == role.oid {
                continue;
            }
            let everybody = defaults.acl.0.iter().any(|item| item.grantee == PUBLIC);
            let to = if everybody { "PUBLIC" } else { &role.name };
            let creator = context.catalog.role_name(defaults.creator);
            let place = match &defaults.schema {
                Some(schema) => format!(" in the schema {schema}"),
                None => String::new(),
            };
            let part = format!("{creator}/{}", defaults.schema.as_deref().unwrap_or_default());
            findings.add(
                About::new(Object::Role(role.name.clone())).by(&role.name).part(&part),
                format!(
                    "{} will be granted {} on every table that {creator} makes later{place}, before row security is enabled there",
                    role.name,
                    list(verbs.iter().map(|(_, verb)| *verb))
                ),
                format!(
                    "ALTER DEFAULT PRIVILEGES … REVOKE ALL ON TABLES FROM {to}; and grant each new table in the migration that makes it"
                ),
            );
        }
    }
}
