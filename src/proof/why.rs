//! Why a case stays open: the sub-expression that let it through, and what is the matter with it.

use super::answer::{Answer, Place, Question};
use super::ir::{Cast, Expr, Opaque};
use super::logic::{Leaf, Lit, RowKey, State, TermKind};
use super::lower::base;
use super::question::{Session, Tenancy};
use super::symbols::Symbols;
use super::value::{Value, oid};

/// The sub-expression that let the open case through, and what is the matter with it.
pub(crate) fn why_open(
    question: &Question<'_>,
    leaf: &Leaf,
    origins: &[&Expr],
    terms: &super::logic::Terms,
) -> Answer {
    let undecided = |reason: &str, expr: &Expr| Answer::Undecided {
        reason: reason.to_owned(),
        place: Place::Expr(expr.clone()),
    };
    let is_empty_tenant = |attnum: &i16| {
        let key = RowKey { premise: 0, row: 0 };
        let column = terms
            .iter()
            .find(|(_, term)| term.kind == TermKind::Column(key, *attnum));
        column.is_some_and(|(id, _)| leaf.theory.value(id, terms) == Some(&Value::Text(String::new())))
    };
    let (Tenancy::Columns(columns) | Tenancy::Parent { columns, .. }) = &question.scope.tenancy;
    if question.state == State::EmptyString && columns.iter().any(is_empty_tenant) {
        let expr = question
            .premises
            .first()
            .map_or(&Expr::TRUE, |premise| &premise.expr);
        return undecided(
            "a row whose tenant is '' passes: NULLIF(…, '') or a CHECK would forbid it",
            expr,
        );
    }
    // A table that the role can write to says whatever the role wants.
    let mut origins_of_case = leaf
        .unknown
        .iter()
        .chain(leaf.literals.iter().map(|(_, origin)| origin));
    let writable = question
        .premises
        .iter()
        .find_map(|premise| reads_writable(&premise.expr, question.session));
    let looks_up = leaf.literals.iter().any(|(lit, _)| match lit {
        Lit::Equal(a, b) | Lit::Differ(a, b) => [*a, *b]
            .iter()
            .any(|term| matches!(&terms.get(*term).kind, TermKind::Column(row, _) if row.row > 0)),
        _ => false,
    });
    if let (true, Some((relation, expr))) = (looks_up, writable) {
        let name = question
            .symbols
            .relations
            .get(&relation)
            .map(|r| format!("{}.{}", r.schema, r.name));
        let name = name.unwrap_or_else(|| format!("relation {relation}"));
        return undecided(&format!("it reads {name}, which the role can write to"), expr);
    }
    let opaque = origins_of_case
        .clone()
        .find_map(|origin| opaque_in(origins[*origin]));
    if let Some((opaque, expr)) = opaque {
        return undecided(&opaque.reason, expr);
    }
    if let Some(origin) = leaf.unknown.first() {
        return undecided("rows of other tables decide it", origins[*origin]);
    }
    if looks_up
        && let Some(expr) = question
            .premises
            .iter()
            .find_map(|premise| query_in(&premise.expr))
    {
        return undecided(
            "rows of another table decide it, of which nothing more is known",
            expr,
        );
    }
    let lossy = origins_of_case.find_map(|origin| lossy_in(question.symbols, origins[*origin]));
    if let Some(expr) = lossy {
        return undecided(
            "it loses information, so that different values can pass for equal",
            expr,
        );
    }
    let last = leaf
        .literals
        .iter()
        .rev()
        .map(|(_, origin)| *origin)
        .find(|origin| *origin > 0);
    let expr = last.map_or(
        question
            .premises
            .first()
            .map_or(&Expr::TRUE, |premise| &premise.expr),
        |id| origins[id],
    );
    undecided(
        "it may be true of another tenant's row, for all that is known",
        expr,
    )
}

fn opaque_in(expr: &Expr) -> Option<(&Opaque, &Expr)> {
    let mut found = None;
    expr.walk(&mut |expr| {
        if let (Expr::Opaque(opaque), None) = (expr, found) {
            found = Some((opaque.as_ref(), expr));
        }
        found.is_none()
    });
    found
}

fn lossy_in<'e>(symbols: &Symbols, expr: &'e Expr) -> Option<&'e Expr> {
    use super::builtin::Function;
    let mut found = None;
    expr.walk(&mut |expr| {
        let is_lossy = match expr {
            Expr::Cast { how, ty, .. } => {
                matches!(
                    how,
                    Cast::Cut(_) | Cast::CutBlanks(_) | Cast::CutName | Cast::DropBlanks
                ) || base(symbols, ty.oid) == oid::NAME
            }
            Expr::Call { function, .. } => !matches!(function, Function::Now | Function::Concat),
            _ => false,
        };
        if is_lossy && found.is_none() {
            found = Some(expr);
        }
        found.is_none()
    });
    found
}

fn query_in(expr: &Expr) -> Option<&Expr> {
    let mut found = None;
    expr.walk(&mut |expr| {
        let is_query = matches!(
            expr,
            Expr::Exists(_) | Expr::In { .. } | Expr::Scalar { .. } | Expr::ArrayOf(..)
        );
        if is_query && found.is_none() {
            found = Some(expr);
        }
        found.is_none()
    });
    found
}

/// A sub-select from a table that the role can write to.
fn reads_writable<'e>(expr: &'e Expr, session: &Session) -> Option<(u32, &'e Expr)> {
    let mut found = None;
    expr.walk(&mut |expr| {
        let (Expr::Exists(query)
        | Expr::In { query, .. }
        | Expr::Scalar { query, .. }
        | Expr::ArrayOf(query, _)) = expr
        else {
            return found.is_none();
        };
        let source = query
            .sources
            .iter()
            .find(|source| session.writable.contains(&source.relation));
        if let (Some(source), None) = (source, found) {
            found = Some((source.relation, expr));
        }
        found.is_none()
    });
    found
}
