//! Answering one question: proof first, then the search for a counterexample, else why neither.

use std::collections::BTreeSet;

use super::ir::Expr;
use super::logic::{Builder, Cond, Goal, Outcome, Premise, RowKey, State, search};
use super::lower::{Lowered, base, resolve};
use super::question::{Scope, Session, Shared, Tenancy};
use super::refute::{Model, Problem, find};
use super::symbols::{Relation, Symbols};
use super::value::{Sort, Type, oid};
use super::why::why_open;

/// Whether all worlds in which the premises are true have the goal.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) symbols: &'a Symbols,
    pub(crate) session: &'a Session,
    pub(crate) relation_id: u32,
    pub(crate) relation: &'a Relation,
    pub(crate) scope: &'a Scope,
    pub(crate) state: State,
    /// The premise whose row must be the tenant's; `None` where no row must pass, whosever it is.
    pub(crate) goal: Option<usize>,
    /// Rows that the goal excepts.
    pub(crate) shared: &'a [Shared],
    /// What is true of the old row, or of the only one; then of the new one.
    pub(crate) premises: &'a [&'a Lowered],
    /// CHECK constraints that hold for the rows.
    pub(crate) checks: &'a [(&'a str, &'a Lowered)],
}

/// The answer, without the names of the table and its columns.
#[derive(Debug)]
pub(crate) enum Answer {
    Proven {
        /// What makes the rows the tenant's.
        reasons: Vec<Expr>,
        /// What can never be true.
        impossible: Vec<Expr>,
        memberships: BTreeSet<usize>,
    },
    Refuted(Box<Model>),
    Undecided {
        reason: String,
        place: Place,
    },
}

/// What stopped a proof.
#[derive(Debug)]
pub(crate) enum Place {
    Expr(Expr),
    Name(String),
}

/// The type of the tenants' values. A text is no shorter than the session says, however short this table's column is:
/// other tables may hold longer tenants.
pub(crate) fn tenant_type(
    symbols: &Symbols,
    session: &Session,
    relation: &Relation,
    tenancy: &Tenancy,
) -> Type {
    let column = tenant_column_type(symbols, session, relation, tenancy);
    let limit = session.longest_tenant.and_then(|n| i32::try_from(n).ok());
    match (column.sort, base(symbols, column.oid)) {
        (Sort::Text, id) => Type {
            oid: if id == oid::BPCHAR { id } else { oid::TEXT },
            typmod: limit.map_or(-1, |limit| limit.saturating_add(4)),
            sort: Sort::Text,
        },
        _ => column,
    }
}

fn tenant_column_type(symbols: &Symbols, session: &Session, relation: &Relation, tenancy: &Tenancy) -> Type {
    let mut found = (Some(relation), tenancy);
    for _ in 0..8 {
        match found {
            (Some(relation), Tenancy::Columns(columns)) => {
                let column = columns.first().and_then(|attnum| relation.column(*attnum));
                return column.map_or(Type::TEXT, |column| {
                    resolve(symbols, column.type_id, column.typmod)
                });
            }
            (_, Tenancy::Parent { parent, .. }) => match session.tenancies.get(parent) {
                Some(tenancy) => found = (symbols.relations.get(parent), tenancy),
                None => break,
            },
            (None, _) => break,
        }
    }
    Type::TEXT
}

/// Answers.
pub(crate) fn answer(question: &Question<'_>) -> Answer {
    if let Some(hazard) = question
        .premises
        .iter()
        .flat_map(|premise| &premise.hazards)
        .next()
    {
        // The expression's value is not all that matters: nothing can be proven, but a leak would be one all the same.
        let undecided = Answer::Undecided {
            reason: hazard.reason.clone(),
            place: Place::Name(hazard.name.clone()),
        };
        return match attempt(question, false) {
            refuted @ Answer::Refuted(_) => refuted,
            _ => undecided,
        };
    }
    match attempt(question, false) {
        // What the constraints exclude is looked at only where something is open without them.
        open if !matches!(open, Answer::Proven { .. }) && !question.checks.is_empty() => {
            match attempt(question, true) {
                proven @ Answer::Proven { .. } => proven,
                _ => open,
            }
        }
        decided => decided,
    }
}

fn attempt(question: &Question<'_>, with_checks: bool) -> Answer {
    let tenant = tenant_type(
        question.symbols,
        question.session,
        question.relation,
        &question.scope.tenancy,
    );
    let mut builder = Builder::new(
        question.symbols,
        question.session,
        question.state,
        question.relation_id,
        tenant,
        &question.scope.fixed_columns,
    );
    let mut all = vec![builder.binding()];
    let too_large = |expr: &Expr| Answer::Undecided {
        reason: "it has too many cases".into(),
        place: Place::Expr(expr.clone()),
    };
    for (premise, lowered) in (0..).zip(question.premises) {
        let row = RowKey { premise, row: 0 };
        match builder.premise(Premise {
            expr: &lowered.expr,
            row,
        }) {
            Some(cond) => all.push(cond),
            None => return too_large(&lowered.expr),
        }
    }
    if with_checks {
        for (premise, _) in (0..).zip(question.premises) {
            for (_, check) in question.checks.iter().filter(|(_, check)| check.lasts) {
                let row = RowKey { premise, row: 0 };
                match builder.check(Premise {
                    expr: &check.expr,
                    row,
                }) {
                    Some(cond) => all.push(cond),
                    None => return too_large(&check.expr),
                }
            }
        }
    }
    let goal = goal(question, &mut builder);
    let cond = Cond::and(all);
    let Builder {
        mut terms,
        knowledge,
        origins,
        ..
    } = builder;
    match search(&cond, &goal, &mut terms, &knowledge) {
        Outcome::Holds(closed) => {
            let exprs = |ids: &BTreeSet<usize>| ids.iter().take(3).map(|id| origins[*id].clone()).collect();
            Answer::Proven {
                reasons: exprs(&closed.by_goal),
                impossible: exprs(&closed.by_contradiction),
                memberships: closed.memberships,
            }
        }
        Outcome::TooMany => too_large(
            question
                .premises
                .last()
                .map_or(&Expr::TRUE, |premise| &premise.expr),
        ),
        Outcome::Open(leaf) => {
            if !with_checks {
                let premises: Vec<&Expr> = question.premises.iter().map(|premise| &premise.expr).collect();
                // What looks at more than the row was true when the row was written, whatever it is now.
                let (checks, others): (Vec<_>, Vec<_>) = question
                    .checks
                    .iter()
                    .copied()
                    .partition(|(_, check)| check.lasts);
                let checks: Vec<(&str, &Expr)> = checks
                    .into_iter()
                    .map(|(name, check)| (name, &check.expr))
                    .collect();
                let problem = Problem {
                    symbols: question.symbols,
                    session: question.session,
                    relation: question.relation,
                    scope: question.scope,
                    shared: question.shared,
                    state: question.state,
                    tenant,
                    premises: &premises,
                    goal: question.goal,
                    checks: &checks,
                    terms: &terms,
                    leaf: &leaf,
                };
                if let Some(mut model) = find(problem) {
                    let others = others.into_iter().map(|(name, _)| format!("constraint {name}"));
                    model.unchecked.extend(others);
                    return Answer::Refuted(Box::new(model));
                }
            }
            why_open(question, &leaf, &origins, &terms)
        }
    }
}

fn goal(question: &Question<'_>, builder: &mut Builder<'_>) -> Goal {
    let row = RowKey {
        premise: question
            .goal
            .and_then(|premise| u8::try_from(premise).ok())
            .unwrap_or(0),
        row: 0,
    };
    let mut column = |attnum: i16| {
        let column = question.relation.column(attnum)?;
        let ty = resolve(question.symbols, column.type_id, column.typmod);
        Some(builder.column(row, attnum, ty, 0))
    };
    let mut goal = Goal {
        owned: question.goal.map(|_| (row, question.scope.tenancy.clone())),
        ..Goal::default()
    };
    let (Tenancy::Columns(columns) | Tenancy::Parent { columns, .. }) = &question.scope.tenancy;
    let tenant_columns: Vec<_> = columns.iter().filter_map(|attnum| column(*attnum)).collect();
    for shared in question.shared {
        match shared {
            // With two columns, a row that lacks one tenant may still be the other's.
            Shared::NoTenant if tenant_columns.len() == 1 => goal.null.extend(&tenant_columns),
            Shared::NoTenant => {}
            Shared::Flag(attnum) => goal.true_.extend(column(*attnum)),
        }
    }
    goal
}
