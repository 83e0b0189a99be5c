//! A permissive policy lets every row through.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{
    About, Applied, Check, Command, Context, Findings, Group, Held, Rows, Severity, policy_command,
};
use crate::catalog::Policy;
use crate::checks::words::list;
use crate::model::expression::{RowTenant, State};

pub(crate) static CHECK: Check = Check {
    summary: "a permissive policy lets every row through",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for held in context.held() {
        let mut open = BTreeMap::<&str, BTreeSet<Command>>::new();
        for &command in &held.commands {
            // Where no row can be written at all, it does not matter which ones are reached.
            if context.is_proven(held, command) {
                continue;
            }
            let Some(of_policy) = policy_command(command) else {
                continue;
            };
            let applied = Context::applied(&held.role.actor, held.relation, of_policy);
            for policy in always_true(context, held, &applied, command) {
                open.entry(&policy.name).or_default().insert(command);
            }
        }
        for (policy, open) in open {
            let single = open.first().copied().filter(|_| open.len() == 1);
            let mut about = About::new(held.relation.object())
                .by(&held.role.name)
                .part(policy);
            if let Some(command) = single {
                about = about.doing(command);
            }
            findings.add(
                about,
                format!(
                    "policy {policy} is true for every row: {} may {} every tenant's rows",
                    held.role.name,
                    list(open.iter().map(|command| command.as_sql()))
                ),
                "policies are OR-ed: drop it, make it AS RESTRICTIVE, or compare the tenant column with the setting",
            );
        }
    }
}

/// The policies that let a bound session at rows of another tenant, whatever they hold.
fn always_true<'p>(
    context: &Context<'_>,
    held: &Held<'_>,
    applied: &Applied<'p>,
    command: Command,
) -> Vec<&'p Policy> {
    let world = held.world(context, State::Bound, RowTenant::Foreign);
    if command != Command::Insert {
        return context.admitting(applied, Rows::Existing, &world);
    }
    let admitting = context.admitting(applied, Rows::New, &world);
    // Where only WITH CHECK is open: write-unchecked.
    let reading = context.admitting(applied, Rows::Existing, &world);
    admitting
        .into_iter()
        .filter(|policy| policy.using_tree.is_none() || reading.iter().any(|other| other.oid == policy.oid))
        .collect()
}
