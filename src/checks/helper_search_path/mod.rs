//! A policy calls a function that looks names up where the session can put something else.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::checks::functions::{Shadow, helpers, shadow};
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "a policy calls a function that looks names up where the session can put something else",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for held in context.held() {
        for (policy, function) in helpers(context, held) {
            let Shadow::Relations(names) = shadow(context, held.role, function) else {
                continue;
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
                format!(
                    "ALTER FUNCTION {}.{}({}) SET search_path = pg_catalog, pg_temp; and write the schema before every other name",
                    function.schema, function.name, function.signature
                ),
            );
        }
    }
}
