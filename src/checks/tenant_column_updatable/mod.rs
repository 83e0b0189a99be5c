//! The audited role may change whose a row is; only the policies keep it from doing so.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity};
use crate::catalog::Privilege;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may update the tenant column",
    severity: Severity::Info,
    group: Group::Grants,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for held in context.held() {
        let number = held.table.tenant_column();
        let Some(column) = number.and_then(|number| held.relation.column(number)) else {
            continue;
        };
        if held.table.part_of.is_none()
            && held
                .role
                .actor
                .on_column(held.relation, column)
                .has(Privilege::Update)
        {
            findings.add(
                About::new(held.relation.object())
                    .by(&held.role.name)
                    .doing(Command::Update),
                format!(
                    "{} may update {}: only WITH CHECK keeps a row from changing hands",
                    held.role.name, column.name
                ),
                "grant UPDATE on the other columns alone: the tenant of a row never changes",
            );
        }
    }
}
