//! No index begins with the tenant column: every query reads all tenants' rows to find one tenant's.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::RelationKind;
use crate::model::Scope;
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "no index begins with the tenant column",
    severity: Severity::Info,
    group: Group::Speed,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables().filter(|(table, _)| table.part_of.is_none()) {
        let Scope::Column { column } = table.scope else {
            continue;
        };
        let indexed = relation
            .indexes
            .iter()
            .any(|index| index.valid && index.keys.first() == Some(&column) && index.predicate.is_none());
        let used = relation.policies.iter().any(|policy| {
            let mut expressions = context.expressions(policy);
            expressions.any(|expression| expression.has_column(column))
        });
        let name = relation
            .column(column)
            .and_then(|column| Ident::new(&*column.name).ok());
        let Some(name) = name.filter(|_| used && !indexed && relation.kind != RelationKind::ForeignTable)
        else {
            continue;
        };
        findings.add(
            About::new(relation.object()),
            format!(
                "every query reads all tenants' rows: no index begins with {name}, which the policies compare"
            ),
            format!(
                "CREATE INDEX ON {} ({name}); or begin an index that is there with it",
                relation.qualified_name()
            ),
        );
    }
}
