//! Policies restrict which rows are read, and let rows of any tenant be written.

use crate::audit::{About, Check, Command, Context, Findings, Group, Held, Rows, Severity, policy_command};
use crate::catalog::{Policy, PolicyCommand, Privilege};
use crate::model::expression::{Expr, RowTenant, State, Value, evaluate};

pub(crate) static CHECK: Check = Check {
    summary: "WITH CHECK lets rows of any tenant be written although USING does not let them be read",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for held in context.held() {
        for &command in &held.commands {
            let (Command::Insert | Command::Update, Some(of_policy)) = (command, policy_command(command))
            else {
                continue;
            };
            let applied = Context::applied(&held.role.actor, held.relation, of_policy);
            // Where a row cannot change hands at all, because the role may not change the column, it need not be checked.
            if !applied.restrictive.is_empty() || context.is_proven(held, command) {
                continue;
            }
            for policy in applied.permissive {
                if always_true(context, held, policy) || !lets_any_row_in(context, held, policy, command) {
                    continue;
                }
                let (role, name) = (&held.role.name, &policy.name);
                let effect = match command {
                    Command::Insert => "may insert rows as another tenant",
                    _ => "may move its rows to another tenant",
                };
                findings.add(
                    About::new(held.relation.object()).by(role).doing(command).part(name),
                    format!("WITH CHECK of policy {name} does not look at the row's tenant: {role} {effect}"),
                    "leave WITH CHECK out, so that USING holds for new rows too, or write the same condition there",
                );
            }
        }
    }
}

/// Whether the policy is open for existing rows too: policy-always-true's affair, as FOR INSERT WITH CHECK (true) is.
fn always_true(context: &Context<'_>, held: &Held<'_>, policy: &Policy) -> bool {
    let world = held.world(context, State::Bound, RowTenant::Foreign);
    let holds = |rows| {
        let expression = context.expression(policy, rows);
        expression.is_some_and(|expression| evaluate(expression, &world) == Value::True)
    };
    holds(Rows::New) && (policy.using_tree.is_none() || holds(Rows::Existing))
}

/// Whether WITH CHECK is true for rows of other tenants, or cannot depend on whose row it is.
fn lets_any_row_in(context: &Context<'_>, held: &Held<'_>, policy: &Policy, command: Command) -> bool {
    let Some(expression) = context.expression(policy, Rows::New) else {
        return false;
    };
    let world = held.world(context, State::Bound, RowTenant::Foreign);
    match evaluate(expression, &world) {
        Value::True => true,
        Value::Unknown => {
            tenant_matters(context, held) && may_write_tenant(held, command) && is_blind(held, expression)
        }
        _ => false,
    }
}

/// Whether the tenant column decides who sees a row: a policy for SELECT looks at it.
fn tenant_matters(context: &Context<'_>, held: &Held<'_>) -> bool {
    let Some(tenant) = held.table.tenant_column() else {
        return false;
    };
    let applied = Context::applied(&held.role.actor, held.relation, PolicyCommand::Select);
    let mut policies = applied.permissive.into_iter().chain(applied.restrictive);
    policies.any(|policy| {
        let using = context.expression(policy, Rows::Existing);
        using.is_some_and(|using| using.has_column(tenant))
    })
}

pub(crate) fn may_write_tenant(held: &Held<'_>, command: Command) -> bool {
    let privilege = if command == Command::Insert {
        Privilege::Insert
    } else {
        Privilege::Update
    };
    let column = held
        .table
        .tenant_column()
        .and_then(|number| held.relation.column(number));
    column.is_some_and(|column| held.role.actor.on_column(held.relation, column).has(privilege))
}

/// Whether the expression looks neither at the tenant column nor at anything that depends on it.
pub(crate) fn is_blind(held: &Held<'_>, expression: &Expr) -> bool {
    let Some(tenant) = held.table.tenant_column() else {
        return false;
    };
    // Columns that a foreign key binds to the tenant say whose row it is as well.
    let bound: Vec<i16> = held
        .relation
        .foreign_keys()
        .filter(|(constraint, _)| constraint.columns.contains(&tenant))
        .flat_map(|(constraint, _)| constraint.columns.iter().copied())
        .collect();
    !expression.looks_elsewhere()
        && !expression.has_column(tenant)
        && !bound.iter().any(|&column| expression.has_column(column))
}
