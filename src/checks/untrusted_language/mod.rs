//! The audited role may call code in a language that reaches beyond the database.

use crate::audit::{About, Check, Context, Findings, Group, Severity};

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may call code in an untrusted language",
    severity: Severity::Warning,
    group: Group::Code,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for function in &context.catalog.functions {
        let ours = function.extension.is_none() && function.oid >= 16384 && !function.is_trigger_function();
        // `internal` is untrusted by name and holds PostgreSQL's own code.
        if function.trusted_language || !ours || &*function.language == "internal" {
            continue;
        }
        for role in context.roles().filter(|role| {
            role.actor.may_execute(function) && context.catalog.may_use_schema(&role.actor, &function.schema)
        }) {
            findings.add(
                About::new(function.object()).by(&role.name),
                format!(
                    "{} may call it, it is written in {}, and such code runs as the server: it reaches every file and every row",
                    role.name, function.language
                ),
                "revoke EXECUTE from PUBLIC, or make sure that no argument decides what it reaches",
            );
        }
    }
}
