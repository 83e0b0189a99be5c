//! A session bound to A inserts a row of its own with the key of B's row, and asks PostgreSQL to update on conflict.

use crate::attack::attempt::{Attempt, Sign, State};
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::rows::Side;
use crate::attack::target::Target;
use crate::audit::{Command, Severity};
use crate::error::Result;
use crate::sql::Ident;

pub(crate) static PROBE: Probe = Probe {
    summary: "changes rows of another tenant by INSERT … ON CONFLICT",
    severity: Severity::Error,
    help: "every permissive policy for UPDATE that applies to the role must compare the tenant column with the setting in \
           USING; unique keys that lead with the tenant column never meet another tenant's rows",
    plan,
    ..NOTHING
};

fn plan(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let shape = target.shape();
    let Some((place, row)) = target.leaf(Side::B).filter(|_| target.command == Command::Update) else {
        return Ok(Vec::new());
    };
    let Some(change) = target
        .change(row)
        .filter(|_| target.rights.insert.contains(&true))
    else {
        return Ok(Vec::new());
    };
    let mut attempts = Vec::new();
    for key in &shape.arbiters {
        let usable = |&column: &usize| {
            target.rights.insert[column] && target.rights.select[column] && row.get(column).is_some()
        };
        if !key.iter().all(usable) {
            continue;
        }
        let mut own = target.fresh[0].clone();
        for &column in key {
            own.values[column].clone_from(&row.values[column]);
        }
        let names: Vec<&Ident> = key.iter().map(|&column| &shape.columns[column].name).collect();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let statement = format!(
            "{} ON CONFLICT ({}) DO UPDATE {}",
            own.insert(shape, |column| target.rights.insert[column])?,
            names.join(", "),
            target.set(std::slice::from_ref(&change))?
        );
        let sign = Sign::Changes(Target::looks(row));
        let attempt = target.attempt(State::Bound, "onto its key", statement, sign)?;
        attempts.push(attempt.over([place]).seen_by(target.witness(row)?));
    }
    Ok(attempts)
}
