//! The moves that several probes make, differing only in how the session is bound.

use super::attempt::{Attempt, Sign, State};
use super::rows::{Belongs, Side};
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

/// Adding a row as another tenant.
pub(crate) fn insert(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    let row = &target.fresh[1];
    let statement = row.insert(target.shape(), |column| target.rights.insert[column])?;
    let rows = parents(target);
    let attempt = target.attempt(state, "as the other tenant", statement, Sign::Stores)?;
    Ok(vec![attempt.over(rows).seen_by(stored(target)?)])
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
    let Some((_, row)) = target.leaf(Side::B) else {
        return Ok(Vec::new());
    };
    let Some(change) = target.change(row) else {
        return Ok(Vec::new());
    };
    update_with(target, state, &[change])
}

/// Setting these columns of another tenant's row, aimed at it by its key.
pub(crate) fn update_with(target: &Target<'_>, state: State, changes: &[Change]) -> Result<Vec<Attempt>> {
    let Some((place, row)) = target.leaf(Side::B) else {
        return Ok(Vec::new());
    };
    let Some(condition) = target.condition(row)? else {
        return Ok(Vec::new());
    };
    let statement = format!(
        "UPDATE {} {} WHERE {condition}",
        target.shape().name,
        target.set(changes)?
    );
    let sign = Sign::Changes(Target::looks(row));
    let attempt = target.attempt(state, "by its key", statement, sign)?;
    Ok(vec![attempt.over([place]).seen_by(target.witness(row)?)])
}

/// Removing another tenant's row, aimed at it by its key.
pub(crate) fn delete(target: &Target<'_>, state: State) -> Result<Vec<Attempt>> {
    let Some((place, row)) = target.leaf(Side::B) else {
        return Ok(Vec::new());
    };
    let Some(condition) = target.condition(row)? else {
        return Ok(Vec::new());
    };
    let statement = format!("DELETE FROM {} WHERE {condition}", target.shape().name);
    let attempt = target.attempt(state, "by its key", statement, Sign::Changes(Target::looks(row)))?;
    Ok(vec![attempt.over([place]).seen_by(target.witness(row)?)])
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
