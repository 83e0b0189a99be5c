//! Policies restrict which rows are read, and let any row be written.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity, policy_command};
use crate::catalog::Policy;
use crate::checks::words::is_true;

pub(crate) static CHECK: Check = Check {
    summary: "WITH CHECK is always true while USING is not",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables().filter(|(_, relation)| relation.row_security) {
        for role in context.roles() {
            for command in context.commands(role, relation) {
                let Some(of_policy) = policy_command(command) else {
                    continue;
                };
                if !matches!(command, Command::Insert | Command::Update) {
                    continue;
                }
                let applied = Context::applied(&role.actor, relation, of_policy);
                if !applied.restrictive.is_empty() {
                    continue;
                }
                for policy in applied
                    .permissive
                    .into_iter()
                    .filter(|policy| lets_any_row_in(policy))
                {
                    let effect = match command {
                        Command::Insert => "may insert rows as another tenant",
                        _ => "may move its rows to another tenant",
                    };
                    findings.add(
                        About::new(relation.object()).by(&role.name).doing(command).part(&policy.name),
                        format!("WITH CHECK of policy {} is always true: {} {effect}", policy.name, role.name),
                        "leave WITH CHECK out, so that USING holds for new rows too, or write the same condition there",
                    );
                }
            }
        }
    }
}

/// WITH CHECK is true and USING is something else. A FOR INSERT policy has no USING: policy-always-true's affair.
fn lets_any_row_in(policy: &Policy) -> bool {
    policy.check_tree.as_ref().is_some_and(is_true)
        && policy.using_tree.as_ref().is_some_and(|using| !is_true(using))
}
