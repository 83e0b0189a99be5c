//! An attack as a script that a person can paste into psql: the rows, the role, the binding, the statement, and what
//! became of it. Everything in it is rolled back.

use std::collections::BTreeSet;

use super::attempt::Attempt;
use super::rows::{Place, Row, Scene, Shape};
use crate::error::Result;

/// The statements that make these rows and all that they refer to, in order.
pub(crate) fn inserts(scene: &Scene, places: &[Place]) -> Result<Vec<String>> {
    let mut needed = BTreeSet::new();
    let mut open = places.to_vec();
    while let Some(place) = open.pop() {
        let Some(row) = scene.rows.get(&place).filter(|_| needed.insert(place)) else {
            continue;
        };
        for key in &scene.shapes[place.0].foreign_keys {
            if key.columns.iter().all(|&column| row.get(column).is_some()) {
                open.extend(scene.row_for(key.parent, place.1));
            }
        }
    }
    scene
        .made
        .iter()
        .filter(|place| needed.contains(place))
        .map(|place| insert(scene, *place))
        .collect()
}

/// The statement that makes a row as it was stored.
fn insert(scene: &Scene, place: Place) -> Result<String> {
    insert_row(&scene.shapes[place.0], &scene.rows[&place])
}

/// The statement that makes this row.
pub(crate) fn insert_row(shape: &Shape, row: &Row) -> Result<String> {
    row.insert(shape, |index| {
        let column = &shape.columns[index];
        let is_null = row.get(index).is_none();
        // For the reader's sake: when the row was made says nothing, unless a key or a partition depends on it.
        let moment = column.default.as_deref() == Some("now()") && !shape.is_distinct(index);
        !column.generated && !moment && (!is_null || column.has_default())
    })
}

/// The whole script.
pub(crate) fn text(
    title: &str,
    inserts: &[String],
    attempt: &Attempt,
    statement: &str,
    leave: &str,
) -> String {
    let mut lines = vec![
        format!("-- {title}"),
        "-- Run it as a superuser; everything is rolled back.".to_owned(),
    ];
    lines.push("BEGIN;".to_owned());
    if !inserts.is_empty() {
        lines.push("-- the tenants' rows".to_owned());
        lines.extend(inserts.iter().map(|insert| format!("{insert};")));
    }
    // What counts rows or looks at them beforehand is the tool's business.
    let prepares = ["REFRESH", "SET LOCAL"]
        .iter()
        .any(|start| attempt.trial.before.starts_with(start));
    if prepares {
        lines.push(format!("{};", attempt.trial.before));
    }
    if statement.contains("rls_tool_counter") {
        lines.push("CREATE TEMP SEQUENCE rls_tool_counter;".to_owned());
        lines.push("GRANT USAGE ON SEQUENCE pg_temp.rls_tool_counter TO PUBLIC;".to_owned());
    }
    if statement.contains("rls_tool_leak") {
        lines.push(
            "CREATE FUNCTION pg_temp.rls_tool_leak(mine boolean) RETURNS boolean LANGUAGE plpgsql COST 0.0001\n    \
             AS 'BEGIN IF mine THEN PERFORM 1 / 0; END IF; RETURN false; END';"
                .to_owned(),
        );
    }
    if statement.contains("rls_tool_peek") {
        lines.push(
            "CREATE FUNCTION pg_temp.rls_tool_peek(value anyelement, wanted text[]) RETURNS boolean LANGUAGE plpgsql COST 0.0001\n    \
             AS 'BEGIN IF EXISTS (SELECT FROM unnest(wanted) AS x WHERE strpos(value::text, x) > 0) THEN PERFORM 1 / 0; END IF; \
             RETURN false; END';"
                .to_owned(),
        );
    }
    lines.push(format!("-- a session {}", attempt.state.words()));
    lines.extend(
        attempt
            .trial
            .enter
            .split("; ")
            .map(|statement| format!("{statement};")),
    );
    lines.push("-- the attack".to_owned());
    lines.push(format!("{statement};"));
    if !attempt.trial.witness.is_empty() {
        lines.push("-- what became of the row".to_owned());
        lines.push(format!("{leave};"));
        lines.push(format!("{};", attempt.trial.witness));
    }
    lines.push("ROLLBACK;\n".to_owned());
    lines.join("\n")
}
