//! A policy calls a function that looks names up where the session can put something else.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::Function;
use crate::checks::functions::{Shadow, helpers, shadow};
use crate::checks::words::list;
use crate::model::AuditedRole;

pub(crate) static CHECK: Check = Check {
    summary: "a policy calls a function that looks names up where the session can put something else",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let (mut seen, mut types_told) = (BTreeSet::new(), BTreeSet::new());
    for held in context.held() {
        for (policy, function) in helpers(context, held) {
            let names = match shadow(context, held.role, function) {
                Shadow::Relations(names) => names,
                Shadow::Types(names) => {
                    if types_told.insert((held.role.oid, function.oid)) {
                        tell_types(findings, held.role, function, &names);
                    }
                    continue;
                }
                _ => continue,
            };
            if !seen.insert((held.relation.oid, held.role.oid, function.oid)) {
                continue;
            }
            findings.add(
                About::new(held.relation.object()).by(&held.role.name).part(&function.name),
                format!(
                    "policy {} calls {}.{}, which looks {} up without a schema: a temporary table of that name decides what {} sees",
                    policy.name,
                    function.schema,
                    function.name,
                    list(names),
                    held.role.name
                ),
                help(function),
            );
        }
    }
}

/// It takes a type and a cast of the session's own making, which is a way that nobody goes by accident.
fn tell_types(findings: &mut Findings<'_>, role: &AuditedRole, function: &Function, names: &[String]) {
    findings.add(
        About::new(function.object())
            .by(&role.name)
            .severity(Severity::Warning),
        format!(
            "policies call it, and it casts to {} without a schema: a temporary type of that name, with a cast that its maker wrote, decides what {} sees",
            list(names),
            role.name
        ),
        help(function),
    );
}

fn help(function: &Function) -> String {
    format!(
        "ALTER FUNCTION {}.{}({}) SET search_path = pg_catalog, pg_temp; and write the schema before every other name",
        function.schema, function.name, function.signature
    )
}
