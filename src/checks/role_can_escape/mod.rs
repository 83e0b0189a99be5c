//! The audited role can become a role that row security does not hold.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::Catalog;
use crate::model::{AuditedRole, Escape, EscapeKind, Step};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role can become a role that row security does not hold",
    severity: Severity::Error,
    group: Group::Roles,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for role in &context.model.roles {
        // A role that is not held itself need not become another.
        if role
            .escapes
            .iter()
            .any(|escape| escape.step == Step::Is && escape.is_total(&context.model.tables))
        {
            continue;
        }
        // CREATEROLE reaches nearly every role: one is enough to say so.
        let mut by_create_role = false;
        for escape in role.escapes.iter().filter(|escape| is_change(escape)) {
            if escape.step == Step::CreateRole && std::mem::replace(&mut by_create_role, true) {
                continue;
            }
            let target = context.catalog.role_name(escape.role);
            let help = help(context.catalog, role, escape);
            let mut about = About::new(Object::Role(role.name.clone()))
                .by(&role.name)
                .part(target);
            if matches!(escape.step, Step::CreateRole | Step::Admin) {
                about = about.mended_by(help.clone());
            }
            findings.add(
                about,
                format!("{} {}", role.name, escape.describe(context.catalog)),
                help,
            );
        }
    }
}

/// Whether the role must do something, or be a member, to get there; what it is and owns itself is another check's.
fn is_change(escape: &Escape) -> bool {
    match escape.step {
        Step::Is => false,
        Step::Inherits => escape.kind == EscapeKind::ServerAccess,
        _ => true,
    }
}

fn help(catalog: &Catalog, role: &AuditedRole, escape: &Escape) -> String {
    let (Ok(member), Ok(target)) = (
        Ident::new(role.name.as_str()),
        Ident::new(catalog.role_name(escape.role)),
    ) else {
        return String::new();
    };
    match escape.step {
        Step::CreateRole => format!("ALTER ROLE {member} NOCREATEROLE;"),
        Step::Admin => format!("REVOKE ADMIN OPTION FOR {target} FROM {member};"),
        _ => format!("take the membership away that leads there, such as: REVOKE {target} FROM {member};"),
    }
}
