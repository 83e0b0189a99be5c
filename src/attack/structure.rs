//! What constraints tell: PostgreSQL checks uniqueness and references against all rows, whatever the policies say.
//!
//! The attempts say nothing by themselves; `worlds` compares them with the world without the other tenant's rows.

use super::attempt::{Attempt, Sign, State};
use super::rows::{Belongs, Form, Row, Side, constant};
use super::target::{Change, Target, owning_key};
use crate::audit::Command;
use crate::error::Result;

/// Rows of its own that hold B's value where values have to be unique.
pub(crate) fn taken(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let shape = target.shape();
    let Some((_, foreign)) = target.leaf(Side::B).filter(|_| target.command == Command::Insert) else {
        return Ok(Vec::new());
    };
    let owners: Vec<usize> = target
        .ownership(Side::A)
        .into_iter()
        .map(|change| change.column)
        .collect();
    let also: Vec<usize> = if shape.keys.is_empty() {
        Vec::new()
    } else {
        shape.also_distinct.clone()
    };
    let mut attempts: Vec<Attempt> = Vec::new();
    for key in shape.keys.iter().chain(std::iter::once(&also)) {
        let free: Vec<usize> = key
            .iter()
            .copied()
            .filter(|column| !owners.contains(column) && target.rights.insert[*column])
            .filter(|&column| !refers(target, column))
            .collect();
        // A tenant's own row, or a key that is made and not chosen: to give one is to know it.
        let chosen = |&column: &usize| {
            let own = &shape.columns[column];
            let is_uuid = matches!(&own.ty.bottom().form, Form::Base(name) if name == "uuid");
            let name = own.name.as_str().to_lowercase();
            let primary = shape.keys.first().is_some_and(|key| key.contains(&column));
            let made = primary && (own.ty.is_number() || name.ends_with("id") || name.ends_with("key"));
            !is_uuid && !own.has_default() && !made
        };
        if !free.iter().any(chosen) || matches!(target.scene.belongs[target.table], Belongs::IsTenant(_)) {
            continue;
        }
        let mut row = target.fresh[0].clone();
        for &column in &free {
            row.values[column].clone_from(&foreign.values[column]);
        }
        attempts.extend(compared(target, &row, "adding a row with its unique value")?);
    }
    Ok(attempts)
}

fn refers(target: &Target<'_>, column: usize) -> bool {
    target
        .shape()
        .foreign_keys
        .iter()
        .any(|key| key.columns.contains(&column))
}

/// Rows of its own that refer to B's.
pub(crate) fn referenced(target: &Target<'_>) -> Result<Vec<Attempt>> {
    if target.command != Command::Insert {
        return Ok(Vec::new());
    }
    let owners: Vec<usize> = target
        .ownership(Side::A)
        .into_iter()
        .map(|change| change.column)
        .collect();
    let scene = target.scene;
    let mut attempts = Vec::new();
    for key in &target.shape().foreign_keys {
        let of_tenant = matches!(
            scene.belongs[key.parent],
            Belongs::ByColumn(_) | Belongs::ByParent
        );
        let free = |column: &&usize| !owners.contains(*column);
        let own: Vec<&usize> = key.columns.iter().filter(free).collect();
        if !of_tenant || own.is_empty() || own.iter().any(|column| !target.rights.insert[**column]) {
            continue;
        }
        let Some(parent) = scene.rows.get(&(key.parent, Side::B, 0)) else {
            continue;
        };
        let mut row = target.fresh[0].clone();
        for (&column, &of_parent) in key.columns.iter().zip(&key.parent_columns) {
            // The tenant's column stays the session's own: row security would not let another through.
            if !owners.contains(&column) {
                row.values[column].clone_from(&parent.values[of_parent]);
            }
        }
        attempts.extend(compared(target, &row, "adding a row that refers to its row")?);
    }
    Ok(attempts)
}

/// Removing a row of its own, or changing its key, that a row of B refers to: does B's row go along?
///
/// The reference is made by a session bound to B, as far as row security and privileges let it.
pub(crate) fn cascades(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let scene = target.scene;
    let mut attempts = Vec::new();
    let Some((place, own)) = target.leaf(Side::A) else {
        return Ok(attempts);
    };
    for (child, shape) in scene.shapes.iter().enumerate() {
        for key in &shape.foreign_keys {
            // Whoever owns the row referred to owns the one that refers to it.
            if owning_key(scene, child).is_some_and(|owning| std::ptr::eq(owning, key)) {
                continue;
            }
            let follows = match target.command {
                Command::Delete => key.follows_delete,
                Command::Update => key.follows_update,
                _ => false,
            };
            let Some(foreign) = scene
                .rows
                .get(&(child, Side::B, 1))
                .filter(|_| follows && key.parent == target.table)
            else {
                continue;
            };
            let (Some(condition), Some(of_own)) =
                (foreign.condition(shape, |_| true)?, target.condition(own)?)
            else {
                continue;
            };
            let mut referring_row = foreign.clone();
            let mut set = Vec::new();
            for (&column, &of_parent) in key.columns.iter().zip(&key.parent_columns) {
                // The tenant's column stays B's: where it is part of the reference, there is none.
                if scene.belongs[child].column() != Some(column) {
                    referring_row.values[column].clone_from(&own.values[of_parent]);
                    let value = referring_row.values[column].clone().unwrap_or(None);
                    set.push(format!("{} = {}", shape.columns[column].name, constant(&value)?));
                }
            }
            if set.is_empty() {
                continue;
            }
            let name = &target.shape().name;
            let statement = if target.command == Command::Delete {
                format!("DELETE FROM {name} WHERE {of_own}")
            } else {
                let fresh = &target.fresh[0];
                let changes: Vec<Change> = key
                    .parent_columns
                    .iter()
                    .filter(|&&column| scene.belongs[target.table].column() != Some(column))
                    .filter_map(|&column| {
                        let value = fresh.get(column).map(str::to_owned);
                        value.is_some().then_some(Change { column, value })
                    })
                    .collect();
                if changes.is_empty() {
                    continue;
                }
                format!("UPDATE {name} {} WHERE {of_own}", target.set(&changes)?)
            };
            let columns: Vec<_> = shape
                .columns
                .iter()
                .map(|column| column.name.to_string())
                .collect();
            let columns = columns.join(", ");
            // What the row looks like once it refers to A's is not known beforehand: looked at by its key alone.
            let referring: Vec<_> = key
                .columns
                .iter()
                .map(|&column| {
                    Ok(format!(
                        "{} IS NOT DISTINCT FROM {}",
                        shape.columns[column].name,
                        { constant(&referring_row.values[column].clone().unwrap_or(None))? }
                    ))
                })
                .collect::<Result<_>>()?;
            let witness = format!(
                "SELECT 'still there' FROM (SELECT {columns} FROM {} WHERE {condition}) AS x WHERE {}",
                shape.name,
                referring.join(" AND ")
            );
            let sign = Sign::ChangesReferring(vec![Some("still there".to_owned())]);
            let what = "removing or renaming its own row, to which the other tenant's row refers";
            let mut attempt = target
                .attempt(State::Bound, what, statement, sign)?
                .over([place, (child, Side::B, 1)])
                .seen_by(Some(witness));
            let prepared = |statement: String| -> Result<String> {
                let enter = target.session.enter(State::Bound, &target.tenants[1])?;
                Ok(format!("{enter}; {statement}; {}", target.session.leave()))
            };
            let update = format!("UPDATE {} SET {} WHERE {condition}", shape.name, set.join(", "));
            attempt.trial.before = prepared(update)?;
            attempts.push(attempt.clone());
            // The same row made anew, by a session that may add rows but not change them.
            let remove = format!("DELETE FROM {} WHERE {condition}", shape.name);
            let insert = referring_row.insert(shape, |column| referring_row.get(column).is_some())?;
            attempt.trial.before = format!("{remove}; {}", prepared(insert)?);
            attempts.push(attempt);
        }
    }
    Ok(attempts)
}

/// Rows of its own that it makes everybody's: the tenant NULL, a flag set. A session of B must not see them.
pub(crate) fn shared(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let shape = target.shape();
    let rights = match target.command {
        Command::Insert => &target.rights.insert,
        Command::Update => &target.rights.update,
        _ => return Ok(Vec::new()),
    };
    let own = match target.command {
        Command::Insert => Some((None, &target.fresh[0])),
        _ => target.leaf(Side::A).map(|(place, row)| (Some(place), row)),
    };
    let Some((place, row)) = own else {
        return Ok(Vec::new());
    };
    let Some(condition) = target.condition(row)? else {
        return Ok(Vec::new());
    };
    let owner = target.scene.belongs[target.table].column();
    let flag =
        |column: usize| matches!(&shape.columns[column].ty.bottom().form, Form::Base(name) if name == "bool");
    let mut attempts = Vec::new();
    for column in
        (0..shape.columns.len()).filter(|&column| rights[column] && !shape.columns[column].generated)
    {
        let values: &[Option<&str>] = if owner == Some(column) && shape.is_nullable(column) {
            &[None]
        } else if flag(column) {
            &[Some("true"), Some("false")]
        } else {
            continue;
        };
        for value in values {
            let value = value.map(str::to_owned);
            let write = if target.command == Command::Insert {
                let mut row = row.clone();
                row.values[column] = Some(value);
                row.insert(shape, |column| rights[column])?
            } else {
                format!(
                    "UPDATE {} {} WHERE {condition}",
                    shape.name,
                    target.set(&[Change { column, value }])?
                )
            };
            let look = format!(
                "SELECT {} FROM {} WHERE {condition}",
                target.readable(),
                shape.name
            );
            let mut attempt = target
                .attempt(State::Bound, "making its own row everybody's", look, Sign::Sees)?
                .over(place);
            let bind = target.session.bind(&target.tenants[1])?;
            let at = attempt.trial.statements.len() - 1;
            attempt.trial.statements.splice(at..at, [write, bind]);
            attempts.push(attempt);
        }
    }
    Ok(attempts)
}

fn compared(target: &Target<'_>, row: &Row, what: &'static str) -> Result<Option<Attempt>> {
    let statement = row.insert(target.shape(), |column| target.rights.insert[column])?;
    let places = [Side::A, Side::B].map(|side| (target.table, side, 1));
    let mut attempt = target
        .attempt(State::Bound, what, statement, Sign::Tells)?
        .over(places);
    attempt.compared = true;
    Ok(Some(attempt))
}
