//! A materialized view holds tenants' rows, and row security never applies to it.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity};
use crate::catalog::RelationKind;
use crate::checks::words::{list, tables_read_unheld};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "a materialized view shows tenants' rows to the audited role",
    severity: Severity::Error,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let views = context
        .catalog
        .relations
        .iter()
        .filter(|relation| relation.kind == RelationKind::MaterializedView);
    for view in views {
        let tables = tables_read_unheld(context, view);
        if tables.is_empty() {
            continue;
        }
        let names = list(tables.iter().map(|table| table.plain_name()));
        for role in context
            .roles()
            .filter(|role| context.commands(role, view).contains(&Command::Select))
        {
            let Ok(name) = Ident::new(role.name.as_str()) else {
                continue;
            };
            let cure = format!("REVOKE SELECT ON {} FROM {name};", view.qualified_name());
            let help =
                format!("{cure} and show it through a view that compares the tenant column with the setting");
            findings.add(
                About::new(view.object())
                    .by(&role.name)
                    .doing(Command::Select)
                    .mended_by(cure),
                format!(
                    "it holds rows of {names} of every tenant, and no policy applies to a materialized view"
                ),
                help.clone(),
            );
            for table in &tables {
                findings.add(
                    About::new(table.object())
                        .by(&role.name)
                        .doing(Command::Select)
                        .through(view.object())
                        .part(&view.plain_name()),
                    format!(
                        "its rows leak to {} through the materialized view {}",
                        role.name,
                        view.plain_name()
                    ),
                    help.clone(),
                );
            }
        }
    }
}
