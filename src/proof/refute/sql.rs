//! A counterexample as statements that can be run: what the policies compute, on a row made up in the query.
//!
//! Nothing is written: the row exists only in the statement, so that neither other rows nor constraints matter.

use std::fmt::Write as _;

use super::model::Model;
use super::prune::prune;
use crate::proof::ir::{Expr, Renderer};
use crate::proof::lower::resolve;
use crate::proof::question::Session;
use crate::proof::symbols::{Relation, Symbols};
use crate::sql::{Ident, Literal};

/// The statements. `labels` says of each premise what its truth means, such as `visible`.
pub(crate) fn statements(
    symbols: &Symbols,
    session: &Session,
    (relation_id, relation): (u32, &Relation),
    model: &Model,
    premises: &[(&str, &Expr)],
) -> String {
    let renderer = Renderer::runnable(symbols, relation_id);
    let ident = |name: &str| Ident::new(name).map_or_else(|_| "\"?\"".into(), |ident| ident.to_string());
    let literal =
        |text: &str| Literal::new(text).map_or_else(|_| "'?'".into(), |literal| literal.to_string());
    let mut sql = String::new();
    for (name, value) in &model.settings {
        if value.is_none() {
            let _ = writeln!(sql, "-- In a new session, in which {name} was never set.");
        }
    }
    sql.push_str("BEGIN READ ONLY;\nSET LOCAL search_path = pg_catalog, pg_temp;\n");
    if session.role_template.is_none() {
        let _ = writeln!(sql, "SET LOCAL ROLE {};", ident(&model.role));
    }
    for (name, value) in &model.settings {
        if let Some(value) = value {
            let _ = writeln!(
                sql,
                "SELECT set_config({}, {}, true);",
                literal(name),
                literal(value)
            );
        }
    }
    for (index, (label, premise)) in premises.iter().enumerate() {
        let premise = prune(symbols, model, index, premise);
        let columns = relation.columns.iter().filter_map(|column| {
            let value = model.rows[index].get(&column.attnum)?;
            let ty = resolve(symbols, column.type_id, column.typmod);
            Some(format!(
                "{} AS {}",
                renderer.value(ty, value.as_ref()),
                ident(&column.name)
            ))
        });
        let columns: Vec<String> = columns.collect();
        let row = if columns.is_empty() {
            "NULL AS \"row\"".to_owned()
        } else {
            columns.join(", ")
        };
        let _ = writeln!(
            sql,
            "SELECT {} AS {} FROM (SELECT {row}) AS {};",
            renderer.expr(&premise),
            ident(label),
            ident(&relation.name)
        );
    }
    sql.push_str("ROLLBACK;\n");
    sql
}
