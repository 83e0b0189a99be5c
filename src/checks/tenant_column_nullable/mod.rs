//! The tenant column may be NULL: a row may belong to nobody.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::model::Scope;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "a row may belong to no tenant",
    severity: Severity::Info,
    group: Group::Structure,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables().filter(|(table, _)| table.part_of.is_none()) {
        let Scope::Column { column } = table.scope else {
            continue;
        };
        let Some(column) = relation.column(column).filter(|column| !column.not_null) else {
            continue;
        };
        let Ok(name) = Ident::new(&*column.name) else {
            continue;
        };
        findings.add(
            About::new(relation.object()),
            format!(
                "{} may be NULL: such a row is invisible to every tenant, or shared by all",
                column.name
            ),
            format!(
                "ALTER TABLE {} ALTER COLUMN {name} SET NOT NULL;",
                relation.qualified_name()
            ),
        );
    }
}
