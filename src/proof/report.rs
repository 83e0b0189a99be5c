//! From an answer to a verdict: with the names of the table, in sentences.

use std::collections::BTreeSet;

use super::answer::{Answer, Place};
use super::ir::{Expr, Renderer};
use super::lower::{Lowered, resolve};
use super::question::{Command, Scope, Session, Statement, Tenancy};
use super::refute::{Model, statements};
use super::symbols::{Relation, Symbols};
use super::verdict::{Aspect, Counterexample, Proof, Undecided, Verdict};
use crate::sql::QualifiedName;

/// Where a question was asked.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) symbols: &'a Symbols,
    pub(crate) session: &'a Session,
    pub(crate) relation_id: u32,
    pub(crate) relation: &'a Relation,
    pub(crate) scope: &'a Scope,
    pub(crate) statement: Statement,
    /// Why row security does not apply, if it does not.
    pub(crate) unrestricted: Option<&'static str>,
}

pub(crate) fn verdict(
    context: &Context<'_>,
    answer: &Answer,
    premises: &[std::sync::Arc<Lowered>],
    aspect: Aspect,
) -> Verdict {
    let renderer = Renderer::for_people(context.symbols, context.relation_id);
    let list = |exprs: &[Expr]| exprs.iter().map(|expr| renderer.expr(expr)).collect::<Vec<_>>();
    match answer {
        Answer::Proven {
            reasons,
            impossible,
            memberships,
        } => {
            let rows = rows(context.statement.command, aspect);
            let explanation = match (reasons.as_slice(), impossible.as_slice()) {
                ([], []) if aspect.is_bound() => format!("the policies let no row be {rows}"),
                ([], []) => format!("the policies let no row be {rows} {}", state(aspect)),
                ([], impossible) if aspect.is_bound() => {
                    format!("no row is {rows}: that needs {}", list(impossible).join(", or "))
                }
                ([], impossible) => {
                    format!(
                        "no row is {rows} {}: that needs {}",
                        state(aspect),
                        list(impossible).join(", or ")
                    )
                }
                (reasons, _) => format!("every row {rows} has {}", list(reasons).join(", or ")),
            };
            let assumptions = memberships
                .iter()
                .filter_map(|index| context.session.memberships.get(*index));
            let assumptions = assumptions.map(|membership| {
                let relation = context.symbols.relations.get(&membership.relation);
                let column = |attnum| relation.and_then(|r| r.column(attnum)).map_or("?", |c| &*c.name);
                let table = relation.map_or_else(|| "?".into(), |r| format!("{}.{}", r.schema, r.name));
                format!(
                    "rows of {table} whose {} is the bound {} have the bound tenant as {}",
                    column(membership.key),
                    membership.placeholder,
                    column(membership.tenant)
                )
            });
            Verdict::Proven(Proof {
                explanation,
                assumptions: assumptions.collect(),
            })
        }
        Answer::Refuted(model) => {
            Verdict::Refuted(Box::new(counterexample(context, model, premises, aspect)))
        }
        Answer::Undecided { reason, place } => Verdict::Undecided(Undecided {
            reason: reason.clone(),
            expression: match place {
                Place::Expr(expr) => renderer.expr(expr),
                Place::Name(name) => name.clone(),
            },
        }),
    }
}

/// What happens to a row.
fn rows(command: Command, aspect: Aspect) -> &'static str {
    match (command, aspect) {
        (Command::Select, _) => "visible",
        (Command::Delete, _) => "deleted",
        (Command::Insert, _) | (Command::Update, Aspect::WrittenRow) => "written",
        (Command::Update, _) => "changed",
    }
}

fn state(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Row | Aspect::WrittenRow => "for a bound session",
        Aspect::NeverSet => "while the tenant setting was never set",
        Aspect::EmptyString => "while the tenant setting is ''",
        Aspect::Garbage => "while the tenant setting is no tenant's value",
    }
}

/// Statements that read the whole table as the role.
fn all_rows(context: &Context<'_>, model: &Model) -> String {
    let mut sql = statements(
        context.symbols,
        context.session,
        (context.relation_id, context.relation),
        model,
        &[],
    );
    let table = QualifiedName::new(&*context.relation.schema, &*context.relation.name);
    if let (Ok(table), Some(end)) = (table, sql.rfind("ROLLBACK;")) {
        sql.insert_str(end, &format!("SELECT * FROM {table};\n"));
    }
    sql
}

fn counterexample(
    context: &Context<'_>,
    model: &Model,
    premises: &[std::sync::Arc<Lowered>],
    aspect: Aspect,
) -> Counterexample {
    let renderer = Renderer::runnable(context.symbols, context.relation_id);
    // The row that is at stake: the one written, where there are two.
    let at_stake = if aspect == Aspect::WrittenRow {
        model.rows.len() - 1
    } else {
        0
    };
    let columns = context.relation.columns.iter().filter_map(|column| {
        let value = model.rows[at_stake].get(&column.attnum)?;
        let ty = resolve(context.symbols, column.type_id, column.typmod);
        Some((
            column.attnum,
            column.name.to_string(),
            value.as_ref().map(|value| renderer.plain_value(ty, value)),
        ))
    });
    let columns: Vec<(i16, String, Option<String>)> = columns.collect();
    let row_tenant = match &context.scope.tenancy {
        Tenancy::Columns(tenancy) => columns
            .iter()
            .find(|(attnum, _, _)| tenancy.contains(attnum))
            .and_then(|(_, _, value)| value.clone()),
        Tenancy::Parent { .. } => None,
    };
    let labels = match (context.statement.command, model.rows.len()) {
        (Command::Select, _) => vec!["visible"],
        (Command::Insert, _) => vec!["insertable"],
        (Command::Delete, _) => vec!["deletable"],
        (Command::Update, _) => vec!["updatable", "new row allowed"],
    };
    let exprs: Vec<(&str, &Expr)> = labels
        .into_iter()
        .zip(premises)
        .map(|(label, premise)| (label, &premise.expr))
        .collect();
    let sql = match context.unrestricted {
        Some(_) => all_rows(context, model),
        None => statements(
            context.symbols,
            context.session,
            (context.relation_id, context.relation),
            model,
            &exprs,
        ),
    };
    let tenant = match (&model.tenant, context.scope.tenancy.clone()) {
        (Some(value), _) => {
            let ty = super::answer::tenant_type(
                context.symbols,
                context.session,
                context.relation,
                &context.scope.tenancy,
            );
            Some(renderer.plain_value(ty, value))
        }
        (None, _) => None,
    };
    let chosen = model.settings.iter().filter(|(name, value)| {
        let is_binding = name.eq_ignore_ascii_case(&context.session.setting)
            || context
                .session
                .binding
                .keys()
                .any(|binding| binding.eq_ignore_ascii_case(name));
        !is_binding && value.is_some()
    });
    let chosen: Vec<String> = chosen
        .map(|(name, value)| format!("{name} = '{}'", value.as_deref().unwrap_or_default()))
        .collect();
    let whose = match (&row_tenant, &context.scope.tenancy) {
        (Some(tenant), _) => format!("a row of tenant {tenant}"),
        (None, Tenancy::Parent { .. }) => "a row whose parent is another tenant's".into(),
        (None, Tenancy::Columns(_)) => {
            let is_null = columns
                .iter()
                .any(|(attnum, _, value)| match &context.scope.tenancy {
                    Tenancy::Columns(tenancy) => tenancy.contains(attnum) && value.is_none(),
                    Tenancy::Parent { .. } => false,
                });
            if is_null {
                "a row without a tenant".into()
            } else {
                "a row of another tenant".to_owned()
            }
        }
    };
    let verb = rows(context.statement.command, aspect);
    let when = match (&tenant, aspect.is_bound()) {
        (Some(tenant), true) => format!("for a session bound to tenant {tenant}"),
        (None, true) => "for a session bound to a tenant".to_owned(),
        (_, false) => state(aspect).to_owned(),
    };
    let chosen = match chosen.as_slice() {
        [] => String::new(),
        chosen => format!(", once the session itself sets {}", chosen.join(" and ")),
    };
    let reason = context
        .unrestricted
        .map(|reason| format!("{reason}: "))
        .unwrap_or_default();
    let explanation = format!("{reason}{whose} is {verb} {when}{chosen}");
    let (mut settings_read, mut reads_role) = (BTreeSet::new(), false);
    for premise in premises {
        premise.expr.walk(&mut |expr| {
            if let Expr::Setting(setting) = expr {
                settings_read.insert(setting.name.clone());
            }
            reads_role |= matches!(expr, Expr::CurrentUser | Expr::SessionUser);
            true
        });
    }
    Counterexample {
        explanation,
        settings_read,
        is_special: model.is_special,
        reads_role,
        tenant,
        settings: model
            .settings
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        row: columns
            .into_iter()
            .map(|(_, name, value)| (name, value))
            .collect(),
        row_tenant,
        sql,
        unchecked: model.unchecked.iter().cloned().collect(),
    }
}
