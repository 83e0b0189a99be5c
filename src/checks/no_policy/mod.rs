//! No policy lets the audited role do what it was granted.

use crate::audit::{About, Check, Command, Context, Findings, Group, Severity, policy_command};
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "no policy lets the audited role do what it was granted",
    severity: Severity::Warning,
    group: Group::Enforcement,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (_, relation) in context.tables().filter(|(_, relation)| relation.row_security) {
        for role in context.roles() {
            if role.actor.acts_as_owner(relation.owner) && !relation.force_row_security {
                continue;
            }
            let commands = context.commands(role, relation);
            let closed: Vec<Command> = commands
                .iter()
                .copied()
                .filter(|&command| {
                    policy_command(command).is_some_and(|command| {
                        Context::applied(&role.actor, relation, command)
                            .permissive
                            .is_empty()
                    })
                })
                .collect();
            if closed.is_empty() {
                continue;
            }
            let all = commands
                .iter()
                .filter(|command| policy_command(**command).is_some())
                .count()
                == closed.len();
            // Where some commands work, the others may be meant to be closed.
            let severity = if all { Severity::Warning } else { Severity::Info };
            let why = match relation.policies.len() {
                0 => "there is no policy",
                _ if relation.policies.iter().all(|policy| !policy.permissive) => {
                    "all policies are RESTRICTIVE"
                }
                _ => "the policies are for other roles or commands",
            };
            let verbs = list(closed.iter().map(|command| command.as_sql()));
            findings.add(
                About::new(relation.object()).by(&role.name).severity(severity),
                format!(
                    "{} was granted {verbs}, but no row is ever let through: {why}",
                    role.name
                ),
                "add a permissive policy for the role and the command, or revoke the grant",
            );
        }
    }
}
