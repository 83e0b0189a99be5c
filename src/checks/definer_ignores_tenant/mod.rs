//! SECURITY DEFINER code works on tenants' rows and never asks whose session it is.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::checks::functions::{asks_who, callable_definers, runs_unheld, tables_named};
use crate::checks::words::list;

/// `void`
const VOID: u32 = 2278;

pub(crate) static CHECK: Check = Check {
    summary: "a SECURITY DEFINER function works on tenants' rows and never looks at the tenant setting",
    severity: Severity::Warning,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (role, function) in callable_definers(context) {
        if function.is_trigger_function()
            || !runs_unheld(context, function.owner)
            || asks_who(context, function)
        {
            continue;
        }
        let tables: Vec<_> = tables_named(context, function)
            .iter()
            .filter(|relation| context.model.table(relation.oid).is_some())
            .map(|relation| relation.plain_name())
            .collect();
        if tables.is_empty() {
            continue;
        }
        let effect = if function.result == VOID {
            "changes"
        } else {
            "tells about"
        };
        let what = if function.arguments.is_empty() {
            "it takes no argument either"
        } else {
            "only its arguments decide, and the caller chooses them"
        };
        findings.add(
            About::new(function.object()).by(&role.name),
            format!(
                "it {effect} rows of {} as {}, whom row security does not hold, and never looks at {}: {what}",
                list(tables),
                context.catalog.role_name(function.owner),
                context.model.tenant_setting
            ),
            "compare the tenant column with the setting in its body, or let a role own it that the policies hold",
        );
    }
}
