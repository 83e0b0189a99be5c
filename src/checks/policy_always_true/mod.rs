//! A permissive policy lets every row through.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity, policy_command};
use crate::catalog::{Policy, PolicyCommand, Text};
use crate::checks::words::{is_true, list};

pub(crate) static CHECK: Check = Check {
    summary: "a permissive policy lets every row through",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables().filter(|(_, relation)| relation.row_security) {
        for role in context.roles() {
            let commands = context.commands(role, relation);
            for policy in relation.policies.iter().filter(|policy| policy.permissive) {
                let open: BTreeSet<Command> = commands
                    .iter()
                    .copied()
                    .filter(|&command| {
                        let Some(of_policy) = policy_command(command) else {
                            return false;
                        };
                        let applied = Context::applied(&role.actor, relation, of_policy);
                        // A RESTRICTIVE policy beside it may keep the border: what it says is the proof's affair.
                        applied.restrictive.is_empty()
                            && applied.permissive.iter().any(|other| other.oid == policy.oid)
                            && decides(policy, of_policy).is_some_and(is_true)
                    })
                    .collect();
                if open.is_empty() {
                    continue;
                }
                let single = open.first().copied().filter(|_| open.len() == 1);
                let mut about = About::new(relation.object()).by(&role.name).part(&policy.name);
                if let Some(command) = single {
                    about = about.doing(command);
                }
                findings.add(
                    about,
                    format!(
                        "policy {} is always true: {} may {} every tenant's rows",
                        policy.name,
                        role.name,
                        list(open.iter().map(|command| command.as_sql()))
                    ),
                    "policies are OR-ed: drop it, make it AS RESTRICTIVE, or compare the tenant column with the setting",
                );
            }
        }
    }
}

/// The expression that decides about existing rows; about new ones for INSERT.
fn decides(policy: &Policy, command: PolicyCommand) -> Option<&Text> {
    match command {
        // Where only WITH CHECK is open: write-unchecked.
        PolicyCommand::Insert if policy.using_tree.as_ref().is_some_and(|using| !is_true(using)) => None,
        PolicyCommand::Insert => policy.effective_check_tree(),
        _ => policy.using_tree.as_ref(),
    }
}
