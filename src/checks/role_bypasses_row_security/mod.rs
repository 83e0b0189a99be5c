//! The audited role is a superuser or has BYPASSRLS.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::model::{EscapeKind, Step};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role is a superuser or has BYPASSRLS",
    severity: Severity::Error,
    group: Group::Roles,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for role in &context.model.roles {
        let is = role.escapes.iter().filter(|escape| escape.step == Step::Is);
        for escape in is {
            let (what, attribute) = match escape.kind {
                EscapeKind::Superuser => ("is a superuser", "NOSUPERUSER"),
                EscapeKind::BypassRls => ("has BYPASSRLS", "NOBYPASSRLS"),
                _ => continue,
            };
            let Ok(name) = Ident::new(role.name.as_str()) else {
                continue;
            };
            let cure = format!("ALTER ROLE {name} {attribute};");
            findings.add(
                About::new(Object::Role(role.name.clone()))
                    .by(&role.name)
                    .part(attribute)
                    .mended_by(cure.clone()),
                format!(
                    "{} {what}: no policy applies to it, it reads and changes every tenant's rows",
                    role.name
                ),
                format!("connect as a role without it, or: {cure}"),
            );
        }
    }
}
