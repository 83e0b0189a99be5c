//! A policy calls a function for every row.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::{Oid, Volatility};
use crate::checks::policies;
use crate::checks::words::list;
use crate::model::expression::Expr;

pub(crate) static CHECK: Check = Check {
    summary: "a policy calls a function for every row",
    severity: Severity::Info,
    group: Group::Speed,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (held, policy) in policies::once(context) {
        let mut called = BTreeSet::new();
        for expression in context.expressions(policy) {
            per_row(context, expression, &mut called);
        }
        if called.is_empty() {
            continue;
        }
        let names = called.into_iter().map(|oid| {
            let function = context.catalog.functions.get(oid);
            function
                .map(|function| format!("{}.{}", function.schema, function.name))
                .unwrap_or_default()
        });
        findings.add(
            About::new(held.relation.object()).part(&policy.name),
            format!(
                "policy {} calls {} for every row",
                policy.name,
                list(names.collect::<Vec<_>>())
            ),
            "write (SELECT function()) where its arguments are the same for every row, and declare it STABLE",
        );
    }
}

/// Functions that are neither computed once nor inlined. A scalar sub-select is computed once.
fn per_row(context: &Context<'_>, expression: &Expr, called: &mut BTreeSet<Oid>) {
    if matches!(expression, Expr::Once(_)) {
        return;
    }
    if let Expr::Call { function, body, .. } = expression
        && let Some(known) = context.catalog.functions.get(*function)
    {
        let inlined = &*known.language == "sql"
            && !known.security_definer
            && known.settings.is_empty()
            && known.volatility != Volatility::Volatile
            && body.is_some();
        if !inlined && known.extension.is_none() {
            called.insert(*function);
        }
    }
    expression.each_child(&mut |child| per_row(context, child, called));
}
