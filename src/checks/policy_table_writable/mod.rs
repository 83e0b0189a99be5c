//! A policy believes a table that the session may write.

use std::collections::{BTreeSet, HashMap};

use crate::audit::{About, Check, Command, Context, Findings, Group, Held, Rows, Severity, policy_command};
use crate::catalog::{Oid, Policy, PolicyCommand, Relation};
use crate::checks::functions::{may_write, tables_named};
use crate::checks::words::list;
use crate::checks::write_unchecked::{is_blind, may_write_tenant};
use crate::model::expression::{RowTenant, State, Value, evaluate};

pub(crate) static CHECK: Check = Check {
    summary: "a policy looks up a table that the session may write as it likes",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let all: HashMap<_, _> = context
        .held()
        .iter()
        .map(|held| ((held.relation.oid, held.role.oid), held))
        .collect();
    for held in context.held() {
        for policy in held.policies() {
            for oid in looked_up(context, policy) {
                let Some(other) = context
                    .catalog
                    .relations
                    .get(oid)
                    .filter(|_| oid != held.relation.oid)
                else {
                    continue;
                };
                let there = all.get(&(oid, held.role.oid)).copied();
                if there.is_some_and(|there| finds_nothing(context, policy, there)) {
                    continue;
                }
                let verbs = forged(context, held, other, there);
                if verbs.is_empty() {
                    continue;
                }
                findings.add(
                    About::new(held.relation.object())
                        .by(&held.role.name)
                        .part(&format!("{}/{}", policy.name, other.plain_name())),
                    format!(
                        "policy {} believes {}, in which {} may {} rows that say whatever it likes",
                        policy.name,
                        other.plain_name(),
                        held.role.name,
                        list(verbs.iter().map(|command| command.as_sql()))
                    ),
                    format!(
                        "REVOKE INSERT, UPDATE ON {} FROM the application, or guard it with a policy that compares its tenant column with the setting",
                        other.qualified_name()
                    ),
                );
            }
        }
    }
}

/// The tables that a policy looks up, itself or in functions that it calls.
fn looked_up(context: &Context<'_>, policy: &Policy) -> BTreeSet<Oid> {
    let mut oids: BTreeSet<Oid> = policy.reads.iter().map(|read| read.relation).collect();
    let called = policy
        .calls
        .iter()
        .filter_map(|&oid| context.catalog.functions.get(oid));
    for function in called.filter(|function| function.extension.is_none()) {
        oids.extend(
            tables_named(context, function)
                .iter()
                .map(|relation| relation.oid),
        );
    }
    oids
}

/// Whether the policy looks up rows there as the role itself, to whom no policy for SELECT shows any.
fn finds_nothing(context: &Context<'_>, policy: &Policy, there: &Held<'_>) -> bool {
    let mut called = policy
        .calls
        .iter()
        .filter_map(|&oid| context.catalog.functions.get(oid));
    let by_function = called.any(|function| {
        tables_named(context, function)
            .iter()
            .any(|relation| relation.oid == there.relation.oid)
    });
    let applied = Context::applied(&there.role.actor, there.relation, PolicyCommand::Select);
    !by_function && applied.permissive.is_empty()
}

/// The commands by which the role may write rows there that no policy holds to the tenant.
fn forged(
    context: &Context<'_>,
    held: &Held<'_>,
    other: &Relation,
    there: Option<&Held<'_>>,
) -> Vec<Command> {
    let writes = [Command::Insert, Command::Update];
    let granted = writes
        .into_iter()
        .filter(|&command| other.kind.is_table() && may_write(held.role, other, command));
    if !other.row_security {
        return granted.collect();
    }
    let Some(there) = there else {
        return Vec::new();
    };
    granted
        .filter(|&command| is_unguarded(context, there, command))
        .collect()
}

fn is_unguarded(context: &Context<'_>, there: &Held<'_>, command: Command) -> bool {
    let Some(of_policy) = policy_command(command) else {
        return false;
    };
    let applied = Context::applied(&there.role.actor, there.relation, of_policy);
    let world = there.world(context, State::Bound, RowTenant::Foreign);
    applied.restrictive.is_empty()
        && applied.permissive.iter().any(|policy| {
            context.expression(policy, Rows::New).is_some_and(|expression| {
                match evaluate(expression, &world) {
                    Value::True => true,
                    Value::Unknown => may_write_tenant(there, command) && is_blind(there, expression),
                    _ => false,
                }
            })
        })
}
