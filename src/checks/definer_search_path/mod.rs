//! SECURITY DEFINER code looks names up where the caller can put something else.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::checks::functions::{Shadow, callable_definers, runs_unheld, shadow};
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "a SECURITY DEFINER function looks names up where the caller can put something else",
    severity: Severity::Error,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (role, function) in callable_definers(context) {
        let help = format!(
            "ALTER FUNCTION {}.{}({}) SET search_path = pg_catalog, pg_temp; and write the schema before every other name",
            function.schema, function.name, function.signature
        );
        let owner = context.catalog.role_name(function.owner);
        let unheld = runs_unheld(context, function.owner);
        let about = About::new(function.object()).by(&role.name);
        match shadow(context, role, function) {
            Shadow::Relations(names) => {
                // As an owner whom the policies hold it can do no more than the policies allow.
                let severity = if unheld { Severity::Error } else { Severity::Warning };
                findings.add(
                    about.severity(severity),
                    format!(
                        "it looks {} up without a schema: a temporary view of that name runs {}'s code as {owner}",
                        list(names),
                        role.name
                    ),
                    help,
                );
            }
            Shadow::Types(names) if unheld => findings.add(
                about.severity(Severity::Warning),
                format!(
                    "it casts to {} without a schema: a temporary type of that name, with a cast that {} wrote, runs {}'s code as {owner}",
                    list(names),
                    role.name,
                    role.name
                ),
                help,
            ),
            Shadow::Path if unheld => findings.add(
                about.severity(Severity::Warning),
                format!(
                    "it runs as {owner} with the caller's search_path: a function or operator in a schema of {}'s choice takes the place of the one that was meant",
                    role.name
                ),
                help,
            ),
            _ => {}
        }
    }
}
