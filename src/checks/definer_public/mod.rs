//! Everybody may call SECURITY DEFINER functions that work on tenants' rows without row security.

use crate::audit::{About, Check, Context, Findings, Group, Severity};
use crate::catalog::{PUBLIC, Privilege};
use crate::checks::functions::{callable_definers, runs_unheld};

pub(crate) static CHECK: Check = Check {
    summary: "everybody may call a SECURITY DEFINER function that row security does not hold",
    severity: Severity::Warning,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (role, function) in callable_definers(context) {
        if function.is_trigger_function()
            || function.extension.is_some()
            || !function.acl.of(PUBLIC).has(Privilege::Execute)
            || !runs_unheld(context, function.owner)
        {
            continue;
        }
        let owner = context.catalog.role_name(function.owner);
        findings.add(
            About::new(function.object()).by(&role.name),
            format!("PUBLIC may call it and it runs as {owner}, whom row security does not hold"),
            format!(
                "REVOKE EXECUTE ON FUNCTION {}.{}({}) FROM PUBLIC; and grant it to the roles that need it",
                function.schema, function.name, function.signature
            ),
        );
    }
}
