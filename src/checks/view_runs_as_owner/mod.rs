//! A view reads tenant-scoped tables as its owner, whom row security does not hold.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity};
use crate::catalog::{Relation, RelationKind};
use crate::checks::words::{list, tables_read_unheld};

pub(crate) static CHECK: Check = Check {
    summary: "a view reads tenant-scoped tables as an owner whom row security does not hold",
    severity: Severity::Error,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for view in context
        .catalog
        .relations
        .iter()
        .filter(|relation| relation.kind == RelationKind::View)
    {
        let roles: Vec<_> = context
            .roles()
            .filter(|role| context.commands(role, view).contains(&Command::Select))
            .collect();
        if roles.is_empty() {
            continue;
        }
        let tables = tables_read_unheld(context, view);
        if tables.is_empty() {
            continue;
        }
        let owner = context.catalog.role_name(view.owner);
        let names = list(tables.iter().map(|table| table.plain_name()));
        for role in roles {
            if may_filter(context, view) {
                findings.add(
                    About::new(view.object()).by(&role.name).doing(Command::Select).severity(Severity::Warning),
                    format!("the view reads {names} as {owner}, whom row security does not hold: only its own WHERE keeps tenants apart"),
                    help(context, view),
                );
                continue;
            }
            let mut about = About::new(view.object()).by(&role.name).doing(Command::Select);
            if context.catalog.server.major() >= 15 {
                about = about.mended_by(cure(view));
            }
            findings.add(
                about,
                format!("the view reads {names} as {owner}, whom row security does not hold: {} sees every tenant's rows", role.name),
                help(context, view),
            );
            for table in &tables {
                findings.add(
                    About::new(table.object())
                        .by(&role.name)
                        .doing(Command::Select)
                        .through(view.object())
                        .part(&view.plain_name()),
                    format!(
                        "its rows leak to {} through the view {}",
                        role.name,
                        view.plain_name()
                    ),
                    help(context, view),
                );
            }
        }
    }
}

/// Whether the view's own text may look at who is asking. Whether it does so rightly is for attacks to say.
pub(crate) fn may_filter(context: &Context<'_>, view: &Relation) -> bool {
    let asks = view.definition.as_ref().is_some_and(|sql| {
        let sql = sql.to_lowercase();
        ["current_setting(", "current_user", "session_user", "current_role"]
            .iter()
            .any(|word| sql.contains(word))
    });
    let nested = view
        .reads
        .iter()
        .filter_map(|reference| context.catalog.relations.get(reference.relation));
    asks || !view.calls.is_empty()
        || nested
            .filter(|inner| inner.kind == RelationKind::View)
            .any(|inner| may_filter(context, inner))
}

fn help(context: &Context<'_>, view: &Relation) -> String {
    if context.catalog.server.major() < 15 {
        return "security_invoker needs PostgreSQL 15: give the view to an owner whom the policies hold (FORCE ROW \
                LEVEL SECURITY), or revoke it"
            .to_owned();
    }
    cure(view)
}

fn cure(view: &Relation) -> String {
    format!(
        "ALTER VIEW {} SET (security_invoker = true);",
        view.qualified_name()
    )
}
