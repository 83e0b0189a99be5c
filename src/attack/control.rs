//! The positive control: through the door, a session bound to A works with A's own rows. Where it does not, the context
//! is dead, and nothing that fails there says anything.

use super::attempt::{Attempt, Sign, State};
use super::doors::Aim;
use super::rows::{Belongs, Side};
use super::target::Target;
use crate::audit::Command;
use crate::error::Result;

/// The controls of the door, of which one has to work; an error is the reason in words why there is none.
pub(crate) fn controls(aim: &Aim<'_>) -> Result<std::result::Result<Vec<Attempt>, &'static str>> {
    Ok(match aim {
        Aim::Rows(target) => control(target)?.map(|control| vec![control]),
        Aim::Look(look) => look.control()?.map(|control| vec![control]),
        Aim::Write(effects) => control(&effects.target)?.map(|control| vec![control]),
        Aim::Become(targets) => {
            let mut controls = Vec::new();
            for target in targets {
                controls.extend(control(target)?.ok());
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

/// The control on rows of a table.
pub(crate) fn control(target: &Target<'_>) -> Result<std::result::Result<Attempt, &'static str>> {
    let shape = target.shape();
    let Some((place, row)) = target.leaf(Side::A) else {
        return Ok(Err("no row of its own could be made"));
    };
    let condition = target.condition(row)?;
    let statement = match target.command {
        Command::Select => match condition {
            Some(condition) => format!("SELECT 1 FROM {} WHERE {condition}", shape.name),
            None if target.readable().is_empty() => return Ok(Err("the role may read no column")),
            None => format!("SELECT {} FROM {} LIMIT 1", target.readable(), shape.name),
        },
        Command::Insert => target.fresh[0].insert(shape, |column| target.rights.insert[column])?,
        Command::Update => {
            let change = target
                .change(row)
                .or_else(|| target.ownership(Side::A).into_iter().next());
            let Some(change) = change else {
                return Ok(Err("there is no column to change"));
            };
            let set = target.set(&[change])?;
            match condition {
                Some(condition) => format!("UPDATE {} {set} WHERE {condition}", shape.name),
                None => return Ok(Err("no key that the role may read tells the rows apart")),
            }
        }
        Command::Delete => match condition {
            Some(condition) => format!("DELETE FROM {} WHERE {condition}", shape.name),
            None => return Ok(Err("no key that the role may read tells the rows apart")),
        },
        _ => return Ok(Err("this command is not attacked yet")),
    };
    let mut attempt = target
        .attempt(State::Bound, "its own row", statement, Sign::Works)?
        .over([place]);
    if let (Command::Insert, Belongs::IsTenant(key)) = (target.command, target.scene.belongs[target.table])
        && let Some(tenant) = target.fresh[0].get(key)
    {
        // Signing up: a tenant that is not there yet binds itself and makes its own row.
        attempt.trial.enter = target.session.enter(State::Bound, tenant)?;
    }
    Ok(Ok(attempt))
}
