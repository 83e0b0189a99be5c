//! What constraints tell: PostgreSQL checks uniqueness and references against all rows, whatever the policies say.
//!
//! The attempts say nothing by themselves; `worlds` compares them with the world without the other tenant's rows.

use super::attempt::{Attempt, Sign, State};
use super::rows::{Belongs, Form, Row, Side};
use super::target::Target;
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

fn compared(target: &Target<'_>, row: &Row, what: &'static str) -> Result<Option<Attempt>> {
    let statement = row.insert(target.shape(), |column| target.rights.insert[column])?;
    let places = [Side::A, Side::B].map(|side| (target.table, side, 1));
    let mut attempt = target
        .attempt(State::Bound, what, statement, Sign::Tells)?
        .over(places);
    attempt.compared = true;
    Ok(Some(attempt))
}
