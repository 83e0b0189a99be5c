//! A session bound to A makes its own row B's.

use crate::attack::attempt::{Attempt, Sign, State};
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::rows::Side;
use crate::attack::target::{Change, Target};
use crate::audit::{Command, Severity};
use crate::error::Result;

pub(crate) static PROBE: Probe = Probe {
    summary: "moves its own rows to another tenant",
    severity: Severity::Error,
    help: "give every permissive policy for UPDATE that applies to the role a WITH CHECK that compares the tenant column \
           with the setting, or do not grant UPDATE on the tenant column",
    plan,
    ..NOTHING
};

fn plan(target: &Target<'_>) -> Result<Vec<Attempt>> {
    let changes = target.ownership(Side::B);
    let Some((place, row)) = target.leaf(Side::A).filter(|_| target.command == Command::Update) else {
        return Ok(Vec::new());
    };
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let name = &target.shape().name;
    let everything = format!("UPDATE {name} {}", target.set(&changes)?);
    let needed: Vec<_> = [Some(place), target.base(Side::B).map(|(place, _)| place)]
        .into_iter()
        .flatten()
        .collect();
    let mut attempts = Vec::new();
    if let Some(condition) = target.condition(row)? {
        let statement = format!("{everything} WHERE {condition}");
        let attempt = target.attempt(State::Bound, "by its key", statement, Sign::Stores)?;
        attempts.push(attempt.over(needed.clone()).seen_by(moves::stored(target)?));
        for variant in target.variants() {
            let other = variant.iter().filter(|(column, _)| target.rights.update[*column]);
            let other = other.map(|(column, value)| Change {
                column: *column,
                value: value.clone(),
            });
            let changes: Vec<Change> = changes.iter().cloned().chain(other).collect();
            let statement = format!("UPDATE {name} {} WHERE {condition}", target.set(&changes)?);
            let what = "by its key, with other values";
            let attempt = target.attempt(State::Bound, what, statement, Sign::Stores)?;
            attempts.push(attempt.over(needed.clone()).seen_by(moves::stored(target)?));
        }
    }
    // Without reading a column: the policies for SELECT do not apply to the new row then. Made only where the door
    // has been shown to reach no row but its own.
    let mut attempt = target
        .attempt(State::Bound, "without WHERE", everything, Sign::Stores)?
        .over(needed);
    attempt.unbounded = true;
    attempts.push(attempt.seen_by(moves::stored(target)?));
    Ok(attempts)
}
