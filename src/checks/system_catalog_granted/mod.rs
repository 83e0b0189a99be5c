//! The audited role was granted one of PostgreSQL's own tables that hold values of rows, or secrets.

use crate::audit::{About, Check, Command, Context, Findings, Group, Object, Severity};
use crate::catalog::Privilege;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may read a system catalog that holds tenants' values or secrets",
    severity: Severity::Error,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

/// Catalogs that are closed to all but superusers, with what they hold.
const CLOSED: [(&str, &str, Severity); 7] = [
    (
        "pg_statistic",
        "the most common values of every column",
        Severity::Error,
    ),
    (
        "pg_statistic_ext_data",
        "the most common values of groups of columns",
        Severity::Error,
    ),
    (
        "pg_largeobject",
        "the contents of every large object",
        Severity::Error,
    ),
    ("pg_authid", "password hashes", Severity::Warning),
    ("pg_shadow", "password hashes", Severity::Warning),
    (
        "pg_user_mapping",
        "passwords of foreign servers",
        Severity::Warning,
    ),
    (
        "pg_subscription",
        "connection strings of subscriptions",
        Severity::Warning,
    ),
];

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for grant in &context.catalog.system_grants {
        let Some((_, what, severity)) = CLOSED.iter().find(|(name, ..)| *name == &*grant.name) else {
            continue;
        };
        for role in context.roles() {
            if !role.actor.privileges(&grant.acl).has(Privilege::Select) {
                continue;
            }
            let Ok(name) = Ident::new(role.name.as_str()) else {
                continue;
            };
            findings.add(
                About::new(Object::in_schema("pg_catalog", &*grant.name))
                    .by(&role.name)
                    .doing(Command::Select)
                    .severity(*severity),
                format!("{} may read {}, which holds {what}", role.name, grant.name),
                format!("REVOKE SELECT ON pg_catalog.{} FROM {name}, PUBLIC;", grant.name),
            );
        }
    }
}
