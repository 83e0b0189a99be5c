//! A view that keeps tenants apart by its own WHERE, without security_barrier.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity};
use crate::catalog::{Relation, RelationKind};
use crate::checks::view_runs_as_owner::may_filter;
use crate::checks::words::tables_read_unfiltered;

pub(crate) static CHECK: Check = Check {
    summary: "a view keeps tenants apart by its own WHERE and is no security_barrier view",
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
        if view.option_is_on("security_barrier") || !may_filter(context, view) {
            continue;
        }
        let mut roles = context
            .roles()
            .filter(|role| context.commands(role, view).contains(&Command::Select))
            .peekable();
        if roles.peek().is_none() || tables_read_unfiltered(context, view).is_empty() {
            continue;
        }
        // A condition of the caller's goes below the view's own only where the query is a plain one.
        let severity = if is_plain(view) {
            Severity::Error
        } else {
            Severity::Warning
        };
        for role in roles {
            findings.add(
                About::new(view.object()).by(&role.name).doing(Command::Select).severity(severity),
                format!(
                    "{} may put a cheap function into its WHERE, which PostgreSQL calls for other tenants' rows before the view's own condition",
                    role.name
                ),
                format!("ALTER VIEW {} SET (security_barrier = true);", view.qualified_name()),
            );
        }
    }
}

/// Whether the query neither groups nor limits nor combines: by its words, so that a doubtful one counts as no plain one.
fn is_plain(view: &Relation) -> bool {
    let query = view.definition.as_deref().unwrap_or_default().to_lowercase();
    let words = [
        "group by",
        "distinct",
        "limit",
        "offset",
        "union",
        "except",
        "intersect",
        "over (",
        "with ",
    ];
    let aggregates = ["count(", "sum(", "max(", "min(", "avg(", "_agg("];
    !words.iter().chain(&aggregates).any(|word| query.contains(word))
}
