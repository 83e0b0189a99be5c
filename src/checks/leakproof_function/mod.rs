//! A function that is declared LEAKPROOF is called for rows that the policies hide.

use crate::audit::{About, Check, Context, Findings, Group, Severity};

pub(crate) static CHECK: Check = Check {
    summary: "a function of the project's is declared LEAKPROOF",
    severity: Severity::Warning,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for function in &context.catalog.functions {
        if !function.leakproof || function.extension.is_some() || function.oid < 16384 {
            continue;
        }
        for role in context.roles().filter(|role| role.actor.may_execute(function)) {
            findings.add(
                About::new(function.object()).by(&role.name),
                "it is declared LEAKPROOF: PostgreSQL calls it in a query's WHERE before the policies, for every tenant's rows, and any error or notice of it tells about them",
                format!(
                    "ALTER FUNCTION {}.{}({}) NOT LEAKPROOF;",
                    function.schema, function.name, function.signature
                ),
            );
        }
    }
}
