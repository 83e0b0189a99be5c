//! A policy calls a function that claims never to change, and reads the session's state.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::Volatility;
use crate::checks::functions::{asks_who, tables_named};
use crate::model::expression::Expr;

pub(crate) static CHECK: Check = Check {
    summary: "a policy calls an IMMUTABLE function that reads the session's state",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for held in context.held() {
        for policy in held.policies() {
            for expression in context.expressions(policy) {
                expression.walk(&mut |part| {
                    let Expr::Call { function, args, .. } = part else {
                        return;
                    };
                    let Some(function) = context.catalog.functions.get(*function) else {
                        return;
                    };
                    let reads = function.extension.is_none()
                        && (asks_who(context, function) || !tables_named(context, function).is_empty());
                    if function.volatility != Volatility::Immutable
                        || !reads
                        || !seen.insert((held.relation.oid, held.role.oid, function.oid))
                    {
                        return;
                    }
                    // With a column as argument it is computed for each row after all.
                    let by_row = args.iter().any(|arg| arg.any(|part| matches!(part, Expr::Column { .. })));
                    let severity = if by_row { Severity::Warning } else { Severity::Error };
                    findings.add(
                        About::new(held.relation.object())
                            .by(&held.role.name)
                            .part(&function.name)
                            .severity(severity),
                        format!(
                            "policy {} calls {}.{}, which is declared IMMUTABLE and reads the session's state: a cached plan keeps the tenant that it was made for",
                            policy.name, function.schema, function.name
                        ),
                        format!(
                            "ALTER FUNCTION {}.{}({}) STABLE;",
                            function.schema, function.name, function.signature
                        ),
                    );
                });
            }
        }
    }
}
