//! A setting that any session may set switches the border off.

use std::collections::BTreeSet;

use crate::audit::{
    About, Applied, Check, Command, Context, Findings, Group, Held, Severity, policy_command,
};
use crate::catalog::Policy;
use crate::checks::words::{list, rows_of};
use crate::model::expression::{Expr, RowTenant, State, World};

pub(crate) static CHECK: Check = Check {
    summary: "a setting that any session may set switches a policy off",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

const HELP: &str = "give whoever must see all tenants a role of its own with a policy TO that role; a session may set any custom setting";

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for held in context.held() {
        for policy in held.relation.policies.iter().filter(|policy| policy.permissive) {
            for (setting, values) in switches(context, policy) {
                let works: Vec<_> = values
                    .iter()
                    .map(|value| (value, opened(context, held, policy, &setting, value.as_deref())))
                    .filter(|(_, commands)| !commands.is_empty())
                    .collect();
                let Some((value, commands)) = works.into_iter().max_by_key(|(_, commands)| commands.len())
                else {
                    continue;
                };
                let how = match value {
                    Some(value) => format!("after SET {setting} = '{}'", value.replace('\'', "''")),
                    None => format!("where {setting} was never set"),
                };
                findings.add(
                    About::new(held.relation.object())
                        .by(&held.role.name)
                        .part(&format!("{}/{setting}", policy.name)),
                    format!(
                        "policy {} is true for every row {how}: {} may {} every tenant's rows",
                        policy.name,
                        held.role.name,
                        list(commands.iter().map(|command| command.as_sql()))
                    ),
                    HELP,
                );
            }
        }
    }
    dormant(context, findings);
}

/// Switches in policies that no audited role is subject to: a risk, and no leak today.
fn dormant(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (table, relation) in context.tables().filter(|(_, relation)| relation.row_security) {
        for policy in relation.policies.iter().filter(|policy| policy.permissive) {
            let for_other = context.model.roles.iter().all(|role| {
                let alone = [policy];
                !alone
                    .iter()
                    .any(|policy| policy.roles.iter().any(|&oid| role.actor.acts_for(oid)))
            });
            if !for_other {
                continue;
            }
            for (setting, values) in switches(context, policy) {
                let applied = Applied {
                    permissive: vec![policy],
                    restrictive: Vec::new(),
                };
                let opens = |set: Option<(&str, Option<&str>)>| {
                    let name = context.model.tenant_setting.to_lowercase();
                    let world = World {
                        tenant_setting: &name,
                        state: State::Bound,
                        tenant_column: table.tenant_column(),
                        row: RowTenant::Foreign,
                        set,
                        flag: None,
                        not_null: &[],
                    };
                    let commands = [Command::Select, Command::Insert];
                    commands
                        .iter()
                        .any(|&command| !context.admitting(&applied, rows_of(command), &world).is_empty())
                };
                if !opens(None)
                    && values
                        .iter()
                        .any(|value| opens(Some((&setting, value.as_deref()))))
                {
                    findings.add(
                        About::new(relation.object())
                            .part(&format!("{}/{setting}", policy.name))
                            .severity(Severity::Warning),
                        format!(
                            "policy {} opens every row by the setting {setting}, which any session of its roles may set; no audited role is among them",
                            policy.name
                        ),
                        HELP,
                    );
                }
            }
        }
    }
}

/// Settings other than the tenant's that a policy looks at, with the values that may matter.
fn switches(context: &Context<'_>, policy: &Policy) -> Vec<(String, Vec<Option<String>>)> {
    let (mut names, mut values) = (BTreeSet::new(), BTreeSet::new());
    for expression in context.expressions(policy) {
        names.extend(expression.settings().into_iter().map(|(name, _)| name.to_owned()));
        expression.walk(&mut |part| {
            if let Expr::Text(text) = part {
                values.insert(text.clone());
            }
        });
    }
    let model = context.model;
    let ours = |name: &str| {
        name.eq_ignore_ascii_case(&model.tenant_setting)
            || model.binding.as_ref().is_some_and(|binding| {
                binding
                    .settings
                    .keys()
                    .any(|bound| bound.eq_ignore_ascii_case(name))
            })
    };
    values.extend(["on", "true", "1"].map(str::to_owned));
    let values: Vec<_> = values.into_iter().map(Some).chain([None]).collect();
    names
        .into_iter()
        // One without a dot is PostgreSQL's own, and not for everybody to set.
        .filter(|name| name.contains('.') && !ours(name))
        .map(|name| (name, values.clone()))
        .collect()
}

/// The commands that the policy lets through to foreign rows with this value, and does not without it.
fn opened(
    context: &Context<'_>,
    held: &Held<'_>,
    policy: &Policy,
    setting: &str,
    value: Option<&str>,
) -> BTreeSet<Command> {
    let opens = |command: Command, set| {
        let Some(of_policy) = policy_command(command) else {
            return false;
        };
        let applied = Context::applied(&held.role.actor, held.relation, of_policy);
        let world = World {
            set,
            ..held.world(context, State::Bound, RowTenant::Foreign)
        };
        let admitting = context.admitting(&applied, rows_of(command), &world);
        admitting.iter().any(|other| other.oid == policy.oid)
    };
    held.commands
        .iter()
        .copied()
        .filter(|&command| opens(command, Some((setting, value))) && !opens(command, None))
        .collect()
}
