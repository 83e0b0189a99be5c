//! The moves that several probes make, differing only in how the session is bound.

use super::attempt::{Attempt, Sign, State};
use super::rows::{Belongs, Row, Side};
use super::target::{Change, Target};
use crate::audit::Command;
use crate::error::Result;

/// Reading another tenant's rows: by their keys, and any at all.
pub(crate) fn read(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    let mut attempts = Vec::new();
    let columns = target.readable();
    if columns.is_empty() {
        return Ok(attempts);
    }
    let name = &target.shape().name;
    for number in [0, 1] {
        let Some((place, row)) = target.made(Side::B, number) else {
            continue;
        };
        if let Some(condition) = target.condition(row)? {
            let statement = format!("SELECT {columns} FROM {name} WHERE {condition}");
            attempts.push(
                target
                    .attempt(state, "by its key", statement, Sign::Returns)?
                    .over([place]),
            );
        }
    }
    let mut conditions = Vec::new();
    let mut places = Vec::new();
    for (place, row) in target.varied(Side::B) {
        if let Some(condition) = target.condition(row)? {
            conditions.push(format!("({condition})"));
            places.push(place);
        }
    }
    if !conditions.is_empty() {
        let statement = format!("SELECT {columns} FROM {name} WHERE {}", conditions.join(" OR "));
        attempts.push(
            target
                .attempt(
                    state,
                    "by the keys of rows with other values",
                    statement,
                    Sign::Returns,
                )?
                .over(places),
        );
    }
    let own = (state == State::Bound).then_some(target.tenants[0].as_str());
    if let Some(condition) = target.foreign_condition(own)? {
        let statement = format!("SELECT {columns} FROM {name} WHERE {condition} LIMIT 3");
        let rows = target.base(Side::B).map(|(place, _)| place);
        attempts.push(
            target
                .attempt(state, "by whose it is", statement, Sign::Returns)?
                .over(rows),
        );
    }
    Ok(attempts)
}

/// Reading with a function of the session's own in the condition, one that tells what it is handed: PostgreSQL must not
/// hand it rows that the policies have not let through. And reading for an update.
pub(crate) fn read_slyly(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let columns = target.readable();
    let Some((place, row)) = target.leaf(Side::B).filter(|_| !columns.is_empty()) else {
        return Ok(Vec::new());
    };
    let name = &target.shape().name;
    let mut attempts = Vec::new();
    if let Some(condition) = target.condition(row)? {
        if target.rights.update.contains(&true) {
            let statement = format!("SELECT {columns} FROM {name} WHERE {condition} FOR UPDATE");
            attempts.push(
                target
                    .attempt(State::Bound, "for update", statement, Sign::Returns)?
                    .over([place]),
            );
        }
        let statement = format!("SELECT {columns} FROM {name} WHERE pg_temp.rls_tool_leak({condition})");
        attempts.push(
            target
                .attempt(State::Bound, "with a leaky function", statement, Sign::Reaches)?
                .over([place]),
        );
    }
    Ok(attempts)
}

/// Changing another tenant's row by MERGE.
pub(crate) fn merge(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let Some((place, row)) = target.leaf(Side::B).filter(|_| target.session.merges()) else {
        return Ok(Vec::new());
    };
    let action = match target.command {
        Command::Delete => "DELETE".to_owned(),
        _ => match target.change(row) {
            Some(change) => format!("UPDATE {}", target.set(&[change])?),
            None => return Ok(Vec::new()),
        },
    };
    let Some(condition) = target.condition(row)? else {
        return Ok(Vec::new());
    };
    // MERGE into a view came with PostgreSQL 17, and not for every view.
    if target.alias.is_some() {
        return Ok(Vec::new());
    }
    let statement = format!(
        "MERGE INTO {} USING (VALUES (1)) AS rls_tool (one) ON {condition} WHEN MATCHED THEN {action}",
        target.shape().name
    );
    let attempt = target.attempt(
        State::Bound,
        "by MERGE",
        statement,
        Sign::Changes(Target::looks(row)),
    )?;
    Ok(vec![attempt.over([place]).seen_by(target.witness(row)?)])
}

/// Adding a row as another tenant.
pub(crate) fn insert(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    let rows = parents(target);
    let witness = stored(target)?;
    let mut attempts: Vec<Attempt> = Vec::new();
    for row in target.fresh_rows(Side::B) {
        let statement = row.insert(target.shape(), |column| target.rights.insert[column])?;
        let attempt = target.attempt(state, "as the other tenant", statement, Sign::Stores)?;
        let attempt = attempt.over(rows.clone()).seen_by(witness.clone());
        // Where the role may not set what varies, the statements are the same.
        if !attempts.contains(&attempt) {
            attempts.push(attempt);
        }
    }
    Ok(attempts)
}

/// The query that returns something if B has more rows than were made for it: whatever became of the new row's key, and
/// unless a trigger made it the session's own.
pub(crate) fn stored(target: &Target<'_>) -> Result<Option<String>> {
    let shape = target.base_shape();
    let owners = target.owned_by(Side::B);
    if !owners.is_empty() {
        let condition = target.equal(&owners)?;
        let known = target.counts[1];
        return Ok(Some(format!(
            "SELECT 1 FROM {} WHERE {condition} HAVING count(*) > {known}",
            shape.name
        )));
    }
    // A row of the tenants' own table: only its key says which it is.
    let Belongs::IsTenant(column) = target.scene.belongs[target.table] else {
        return Ok(None);
    };
    let value = target.fresh[1].get(column).map(str::to_owned);
    if value.is_none() || !target.rights.insert[column] {
        return Ok(None);
    }
    let condition = target.equal(&[Change { column, value }])?;
    Ok(Some(format!("SELECT 1 FROM {} WHERE {condition}", shape.name)))
}

/// Rows that a new row of B refers to.
fn parents(target: &Target<'_>) -> Vec<super::rows::Place> {
    let keys = &target.shape().foreign_keys;
    keys.iter()
        .filter_map(|key| target.scene.row_for(key.parent, Side::B))
        .collect()
}

/// Changing another tenant's row, aimed at it by its key.
pub(crate) fn update(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    update_with(target, state, |row| target.change(row).into_iter().collect())
}

/// Setting these columns of another tenant's row, aimed at it by its key.
pub(crate) fn update_with(
    target: &Target<'_>,
    state: State,
    changes: impl Fn(&Row) -> Vec<Change>,
) -> Result<Vec<Attempt>> {
    each(target, state, |row, condition| {
        let changes = changes(row);
        if changes.is_empty() {
            return Ok(None);
        }
        let name = &target.shape().name;
        Ok(Some(format!(
            "UPDATE {name} {} WHERE {condition}",
            target.set(&changes)?
        )))
    })
}

/// Removing another tenant's row, aimed at it by its key.
pub(crate) fn delete(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    let name = &target.shape().name;
    each(target, state, |_, condition| {
        Ok(Some(format!("DELETE FROM {name} WHERE {condition}")))
    })
}

/// A statement on each of B's rows, aimed at it by its key.
fn each(
    target: &Target<'_>,
    state: State,
    statement: impl Fn(&Row, &str) -> Result<Option<String>>,
) -> Result<Vec<Attempt>> {
    let mut attempts = Vec::new();
    for (place, row) in target.rows(Side::B) {
        let Some(condition) = target.condition(row)? else {
            continue;
        };
        if let Some(statement) = statement(row, &condition)? {
            let sign = Sign::Changes(Target::looks(row));
            let attempt = target.attempt(state, "by its key", statement, sign)?;
            attempts.push(attempt.over([place]).seen_by(target.witness(row)?));
        }
    }
    Ok(attempts)
}

/// Operators that make a condition too expensive to be moved in front of a policy. PostgreSQL may do that with one that
/// passes no column to a function, as nothing can leak that way, but only if it costs less than ten operators.
const EXPENSIVE: usize = 24;

/// Whether an UPDATE or DELETE without WHERE reaches rows beyond the session's own, without touching any.
///
/// A statement that reads no column is not subject to SELECT policies, so that this is another question than the ones
/// above. The condition names no column either: it counts the rows for which it is evaluated, which PostgreSQL does
/// only behind the policies; it is never true, and it divides by zero at the first row too many.
pub(crate) fn reach(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    let own = if state == State::Bound {
        target.counts[0]
    } else {
        0
    };
    let name = &target.shape().name;
    let Some((place, row)) = target.leaf(Side::B) else {
        return Ok(Vec::new());
    };
    let condition = format!(
        "1 / ({} - pg_catalog.nextval('pg_temp.rls_tool_counter'){}) IS NULL",
        own + 1,
        " + 0".repeat(EXPENSIVE)
    );
    let everything = match target.command {
        Command::Update => {
            let Some(change) = target.change(row) else {
                return Ok(Vec::new());
            };
            format!("UPDATE {name} {}", target.set(&[change])?)
        }
        _ => format!("DELETE FROM {name}"),
    };
    let statement = format!("{everything} WHERE {condition}");
    let mut attempt = target
        .attempt(state, "without WHERE", statement, Sign::Reaches)?
        .over([place]);
    "SELECT pg_catalog.setval('pg_temp.rls_tool_counter', 1, false)".clone_into(&mut attempt.trial.before);
    attempt.plain = Some(everything);
    Ok(vec![attempt])
}

/// Everything that a session without a tenant of its own can try with the door's command.
pub(crate) fn without_tenant(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    match target.command {
        Command::Select => read(target, state),
        Command::Insert => insert(target, state),
        Command::Update => Ok([update(target, state)?, reach(target, state)?].concat()),
        Command::Delete => Ok([delete(target, state)?, reach(target, state)?].concat()),
        _ => Ok(Vec::new()),
    }
}
