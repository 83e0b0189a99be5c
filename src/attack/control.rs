//! The positive control: through the door, a session bound to A works with A's own rows. Where it does not, the context
//! is dead, and nothing that fails there says anything.

use super::attempt::{Attempt, Sign, State};
use super::doors::Aim;
use super::rows::{Belongs, Row, Side};
use super::target::Target;
use crate::audit::Command;
use crate::error::Result;

/// The controls of the door, of which one has to work; an error is the reason in words why there is none.
pub(crate) fn controls(aim: &Aim<'_>) -> Result<std::result::Result<Vec<Attempt>, &'static str>> {
    Ok(match aim {
        Aim::Rows(target) => control(target)?,
        Aim::Look(look) => look.control()?.map(|control| vec![control]),
        Aim::Write(effects) => control(&effects.target)?,
        Aim::Become(targets) => {
            let mut controls = Vec::new();
            for target in targets {
                controls.extend(control(target)?.into_iter().flatten());
            }
            if controls.is_empty() {
                Err("no row of its own could be made for it")
            } else {
                Ok(controls)
            }
        }
        Aim::Call(routine, single) => Ok(routine.controls(*single)?),
    })
}

/// The controls on rows of a table: one that works is enough, as policies may ask for more than whose row it is.
pub(crate) fn control(target: &Target<'_>) -> Result<std::result::Result<Vec<Attempt>, &'static str>> {
    if target.leaf(Side::A).is_none() {
        return Ok(Err("no row of its own could be made"));
    }
    let mut list = Vec::new();
    if target.command == Command::Insert {
        for (number, row) in target.fresh_rows(Side::A).into_iter().enumerate() {
            let statement = row.insert(target.shape(), |column| target.rights.insert[column])?;
            // Other values that the role may not set make the same statement.
            if number == 0 || !list.iter().any(|(_, _, known)| *known == statement) {
                list.push((target.leaf(Side::A), row, statement));
            }
        }
    } else {
        for (place, row) in target.rows(Side::A) {
            match on_row(target, row)? {
                Ok(statement) => list.push((Some((place, row)), row.clone(), statement)),
                Err(reason) => return Ok(Err(reason)),
            }
        }
    }
    let mut attempts = Vec::new();
    for (made, row, statement) in list {
        let mut attempt = target
            .attempt(State::Bound, "its own row", statement, Sign::Works)?
            .over(made.map(|(place, _)| place));
        if let (Command::Insert, Belongs::IsTenant(key)) =
            (target.command, target.scene.belongs[target.table])
            && let Some(tenant) = row.get(key)
        {
            // Signing up: a tenant that is not there yet binds itself and makes its own row.
            attempt.trial.enter = target.session.enter(State::Bound, tenant)?;
        }
        attempts.push(attempt);
    }
    Ok(Ok(attempts))
}

/// The statement on a row of its own; an error is the reason in words why there is none.
fn on_row(target: &Target<'_>, row: &Row) -> Result<std::result::Result<String, &'static str>> {
    let name = &target.shape().name;
    let untold = "no key that the role may read tells the rows apart";
    let condition = target.condition(row)?;
    Ok(match (target.command, condition) {
        (Command::Select, Some(condition)) => Ok(format!("SELECT 1 FROM {name} WHERE {condition}")),
        (Command::Select, None) if target.readable().is_empty() => Err("the role may read no column"),
        (Command::Select, None) => Ok(format!("SELECT {} FROM {name} LIMIT 1", target.readable())),
        (Command::Update, condition) => {
            let change = target
                .change(row)
                .or_else(|| target.ownership(Side::A).into_iter().next());
            match (change, condition) {
                (None, _) => Err("there is no column to change"),
                (_, None) => Err(untold),
                (Some(change), Some(condition)) => Ok(format!(
                    "UPDATE {name} {} WHERE {condition}",
                    target.set(&[change])?
                )),
            }
        }
        (Command::Delete, Some(condition)) => Ok(format!("DELETE FROM {name} WHERE {condition}")),
        (Command::Delete, None) => Err(untold),
        _ => Err("this command is not attacked yet"),
    })
}
