//! Triggers and rules as doors: ordinary writes of a session, and what else they do.

use super::attempt::{Attempt, Sign, State};
use super::control;
use super::look::{Look, Visitor};
use super::rows::Side;
use super::target::{Change, Target};
use crate::audit::Command;
use crate::error::Result;

/// Variants of one write.
const MOST: usize = 8;

/// A write that carries a trigger or a rule with it.
#[derive(Debug)]
pub(crate) struct Effects<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) visitor: Visitor<'a>,
    /// What says how the other tenant's rows look, as the connection's own role.
    pub(crate) witness: String,
    /// Tables of nobody's that the session may read, where a trigger may keep a history.
    pub(crate) histories: Vec<Look<'a>>,
}

impl Effects<'_> {
    /// Ordinary writes on a row of its own; with values of the other tenant's row where the columns allow it.
    fn writes(&self) -> Result<Vec<Attempt>> {
        let mut all = control::control(&self.target)?.unwrap_or_default();
        let Some(plain) = all.first().cloned() else {
            return Ok(all);
        };
        for attempt in &mut all {
            attempt.what = "writing its own row";
        }
        let shape = self.target.shape();
        let Some((_, foreign)) = self.target.leaf(Side::B) else {
            return Ok(all);
        };
        let owners: Vec<usize> = self
            .target
            .owned_by(Side::A)
            .iter()
            .map(|change| change.column)
            .collect();
        let rights = match self.target.command {
            Command::Insert => &self.target.rights.insert,
            Command::Update => &self.target.rights.update,
            _ => return Ok(all),
        };
        let free = |&column: &usize| {
            rights[column]
                && !owners.contains(&column)
                && !shape.columns[column].generated
                && !shape.columns[column].identity_always
                && !shape.keys.first().is_some_and(|key| key.contains(&column))
                && foreign.get(column).is_some()
                && foreign.get(column) != self.target.fresh[0].get(column)
        };
        let columns: Vec<usize> = (0..shape.columns.len()).filter(free).take(MOST).collect();
        for column in columns {
            let value = foreign.values[column].clone().unwrap_or(None);
            let statement = if self.target.command == Command::Insert {
                let mut row = self.target.fresh[0].clone();
                row.values[column] = Some(value);
                row.insert(shape, |column| self.target.rights.insert[column])?
            } else {
                let own = self
                    .target
                    .leaf(Side::A)
                    .map(|(_, own)| self.target.condition(own));
                let Some(condition) = own.transpose()?.flatten() else {
                    continue;
                };
                let set = self.target.set(&[Change { column, value }])?;
                format!("UPDATE {} {set} WHERE {condition}", shape.name)
            };
            let mut attempt = plain.clone();
            attempt.what = "writing its own row with a value of another tenant's";
            if let Some(last) = attempt.trial.statements.last_mut() {
                *last = statement;
            }
            all.push(attempt);
        }
        for attempt in &mut all {
            attempt.rows.clone_from(&self.visitor.places);
        }
        Ok(all)
    }

    /// What becomes of the other tenant's rows.
    pub(crate) fn change(&self) -> Result<Vec<Attempt>> {
        if self.witness.is_empty() {
            return Ok(Vec::new());
        }
        let mut attempts = self.writes()?;
        for attempt in &mut attempts {
            attempt.sign = Sign::Disturbs;
            attempt.trial.before.clone_from(&self.witness);
            attempt.trial.witness.clone_from(&self.witness);
        }
        Ok(attempts)
    }

    /// What comes back: by RETURNING, in an error, and in tables that a trigger may keep for everybody.
    pub(crate) fn show(&self) -> Result<Vec<Attempt>> {
        let readable = self.target.readable();
        let whole = self.target.rights.select.iter().all(|may| *may);
        let mut attempts = self.writes()?;
        for attempt in &mut attempts {
            let mut given: Vec<String> = attempt.trial.statements.last().cloned().into_iter().collect();
            given.extend(self.target.fresh[0].values.iter().flatten().flatten().cloned());
            attempt.sign = Sign::Shows(self.visitor.wanted(State::Bound, given, None));
            attempt.compared = true;
            if let Some(last) = attempt.trial.statements.last_mut().filter(|_| whole) {
                *last = format!("{last} RETURNING {readable}");
            }
        }
        for history in &self.histories {
            attempts.extend(history.read(State::Bound)?);
        }
        Ok(attempts)
    }
}
