//! The tenant setting has a value before anybody binds a tenant.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the tenant setting is pinned to a role or database",
    severity: Severity::Error,
    group: Group::Roles,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let setting = &context.model.tenant_setting;
    for pinned in context
        .catalog
        .settings
        .iter()
        .filter(|pinned| pinned.name.eq_ignore_ascii_case(setting))
    {
        // An empty value is what "unbound" means.
        if pinned.value.as_deref() == Some("") {
            continue;
        }
        for role in context
            .roles()
            .filter(|role| pinned.role.is_none_or(|oid| oid == role.oid))
        {
            let (whose, statement) = match pinned.role {
                Some(_) => (
                    "role",
                    Ident::new(role.name.as_str()).map(|name| format!("ALTER ROLE {name}")),
                ),
                None if pinned.this_database => (
                    "database",
                    Ident::new(context.catalog.server.database.as_str())
                        .map(|name| format!("ALTER DATABASE {name}")),
                ),
                None => ("server", Ok("ALTER ROLE ALL".to_owned())),
            };
            let Ok(statement) = statement else {
                continue;
            };
            // A setting's name is dotted; each of its parts is an identifier.
            let parts: Result<Vec<_>, _> = setting.split('.').map(Ident::new).collect();
            let Ok(parts) = parts else {
                continue;
            };
            let quoted: Vec<_> = parts.iter().map(ToString::to_string).collect();
            let cure = format!("{statement} RESET {};", quoted.join("."));
            findings.add(
                About::new(Object::Setting(setting.clone()))
                    .by(&role.name)
                    .part(whose)
                    .mended_by(cure.clone()),
                format!("a session of {} that binds no tenant is one tenant's already: the {whose} pins {setting}", role.name),
                cure,
            );
        }
    }
}
