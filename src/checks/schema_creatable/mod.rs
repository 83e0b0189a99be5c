//! The audited role may create objects where other sessions look for names.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::Privilege;
use crate::checks::words::creatable_schemas;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may create objects where other sessions look for names",
    severity: Severity::Warning,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let catalog = context.catalog;
    for role in context.roles() {
        let Ok(name) = Ident::new(role.name.as_str()) else {
            continue;
        };
        let object = || Object::Role(role.name.clone());
        for schema in creatable_schemas(context, role) {
            // A schema in which nobody looks is no risk. Where nothing of tenants lies in public, it is how PostgreSQL was
            // delivered until version 14.
            let first =
                schema == role.name || context.tables().any(|(_, relation)| *relation.schema == *schema);
            let searched = first || schema == "public";
            let Some(of_schema) = Ident::new(schema).ok().filter(|_| searched) else {
                continue;
            };
            let severity = if first { Severity::Warning } else { Severity::Info };
            findings.add(
                About::new(object()).by(&role.name).part(schema).severity(severity),
                format!(
                    "{} may create objects in the schema {schema}: a function or operator there that fits better than the one that was meant runs in other tenants' sessions",
                    role.name
                ),
                format!("REVOKE CREATE ON SCHEMA {of_schema} FROM {name}, PUBLIC;"),
            );
        }
        if role.actor.privileges(&catalog.server.acl).has(Privilege::Create) {
            let Ok(database) = Ident::new(catalog.server.database.as_str()) else {
                continue;
            };
            findings.add(
                About::new(object()).by(&role.name).part("database"),
                format!(
                    "{} may create schemas: one with its own name stands first in everybody's search_path (\"$user\"), and tables there take the place of the real ones",
                    role.name
                ),
                format!("REVOKE CREATE ON DATABASE {database} FROM {name}, PUBLIC;"),
            );
        }
    }
}
