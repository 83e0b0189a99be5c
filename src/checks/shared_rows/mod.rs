//! Rows that belong to all tenants: to read them is by design, to write them is not.

use std::collections::BTreeSet;

use crate::audit::{About, Check, Command, Context, Findings, Group, Held, Rows, Severity, policy_command};
use crate::checks::words::list;
use crate::model::expression::{RowTenant, State, World};

/// `bool`
const BOOLEAN: u32 = 16;

pub(crate) static CHECK: Check = Check {
    summary: "a tenant's session may write rows that all tenants share",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for held in context.held() {
        let Some(number) = held.table.tenant_column() else {
            continue;
        };
        let foreign = held.world(context, State::Bound, RowTenant::Foreign);
        let column = held.relation.column(number);
        if let Some(column) = column.filter(|column| !column.not_null) {
            let world = World {
                row: RowTenant::Null,
                ..foreign
            };
            report(
                context,
                findings,
                held,
                &world,
                &format!("whose {} is NULL", column.name),
                &column.name,
            );
        }
        for column in held
            .relation
            .columns
            .iter()
            .filter(|column| column.type_oid == BOOLEAN)
        {
            let world = World {
                flag: Some(column.number),
                ..foreign
            };
            let rows = format!("of other tenants where {} is true", column.name);
            report(context, findings, held, &world, &rows, &column.name);
        }
    }
}

fn report(
    context: &Context<'_>,
    findings: &mut Findings<'_>,
    held: &Held<'_>,
    world: &World<'_>,
    rows: &str,
    column: &str,
) {
    let shared: BTreeSet<Command> = held
        .commands
        .iter()
        .copied()
        .filter(|&command| admits(context, held, world, command))
        .collect();
    let writing: Vec<_> = shared
        .iter()
        .copied()
        .filter(|&command| command != Command::Select)
        .collect();
    if !writing.is_empty() {
        findings.add(
            About::new(held.relation.object()).by(&held.role.name).part(column),
            format!(
                "{} may {} rows {rows}: what one tenant's session writes, all tenants see",
                held.role.name,
                list(writing.iter().map(|command| command.as_sql()))
            ),
            "let shared rows be read by a policy FOR SELECT of their own, and compare only the tenant column in policies that write",
        );
    } else if shared.contains(&Command::Select) {
        findings.add(
            About::new(held.relation.object())
                .by(&held.role.name)
                .doing(Command::Select)
                .part(column)
                .severity(Severity::Info),
            format!("every tenant's session reads rows {rows}: shared by design, as it seems"),
            "nothing to do if that is meant",
        );
    }
}

/// Whether the command is let at such rows, and only because they are shared.
fn admits(context: &Context<'_>, held: &Held<'_>, world: &World<'_>, command: Command) -> bool {
    let Some(of_policy) = policy_command(command) else {
        return false;
    };
    let applied = Context::applied(&held.role.actor, held.relation, of_policy);
    let own = held.world(context, State::Bound, RowTenant::Foreign);
    let opens = |rows, world: &World<'_>| !context.admitting(&applied, rows, world).is_empty();
    match command {
        Command::Insert => opens(Rows::New, world) && !opens(Rows::New, &own),
        // Changing a shared row, or turning an own row into one that belongs to nobody.
        Command::Update => {
            let touches = opens(Rows::Existing, world) && !opens(Rows::Existing, &own);
            touches || world.row == RowTenant::Null && opens(Rows::New, world) && !opens(Rows::New, &own)
        }
        _ => opens(Rows::Existing, world) && !opens(Rows::Existing, &own),
    }
}
