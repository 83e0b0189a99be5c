//! The audited role is a member of pg_read_all_data or pg_write_all_data.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role is a member of pg_read_all_data or pg_write_all_data",
    severity: Severity::Error,
    group: Group::Roles,
    since: "0.1.0",
    run,
};

/// The role, what it means, and how bad that is.
const ROLES: [(&str, &str, Severity); 2] = [
    (
        "pg_read_all_data",
        "it reads pg_statistic, which holds values of every tenant's rows, and every table without row security, later ones too",
        Severity::Error,
    ),
    (
        "pg_write_all_data",
        "it writes every table without row security, later ones too",
        Severity::Warning,
    ),
];

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for role in context.roles() {
        for (name, effect, severity) in ROLES {
            let Some(predefined) = context.catalog.role_named(name) else {
                continue;
            };
            let has = role.actor.has_privileges_of.contains(&predefined.oid);
            if !has && !role.actor.may_become.contains(&predefined.oid) {
                continue;
            }
            let how = if has {
                "has the privileges of"
            } else {
                "may SET ROLE to"
            };
            let Ok(member) = Ident::new(role.name.as_str()) else {
                continue;
            };
            findings.add(
                About::new(Object::Role(role.name.clone()))
                    .by(&role.name)
                    .part(name)
                    .severity(severity),
                format!("{} {how} {name}: {effect}", role.name),
                format!("REVOKE {name} FROM {member}; and GRANT what the application needs, table by table"),
            );
        }
    }
}
