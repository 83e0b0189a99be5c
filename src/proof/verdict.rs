//! What a proof says.

use std::collections::BTreeSet;

use super::question::Command;

/// What must hold for one command on one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// Bound to A: every row seen, changed or deleted is A's.
    Row,
    /// Bound to A: every row written is A's.
    WrittenRow,
    /// The tenant setting was never set (NULL): no row is seen, changed, deleted or written.
    NeverSet,
    /// The tenant setting is `''`, as it is after the transaction that set it: likewise.
    EmptyString,
    /// The tenant setting is a text that is no tenant's value, such as `x` for a number: likewise.
    Garbage,
}

impl Aspect {
    /// What is asked of a command, in order.
    pub fn of(command: Command) -> &'static [Self] {
        match command {
            Command::Select | Command::Delete => {
                &[Self::Row, Self::NeverSet, Self::EmptyString, Self::Garbage]
            }
            Command::Insert => &[Self::WrittenRow, Self::NeverSet, Self::EmptyString, Self::Garbage],
            Command::Update => &[
                Self::Row,
                Self::WrittenRow,
                Self::NeverSet,
                Self::EmptyString,
                Self::Garbage,
            ],
        }
    }

    /// Whether the session is bound to a tenant.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::Row | Self::WrittenRow)
    }
}

/// The answer for one aspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds for every row and every session.
    Proven(Proof),
    /// It does not: here is a row and a session.
    Refuted(Box<Counterexample>),
    /// Neither was established.
    Undecided(Undecided),
}

impl Verdict {
    /// Whether it was proven.
    pub fn is_proven(&self) -> bool {
        matches!(self, Self::Proven(_))
    }

    /// Whether a counterexample was found.
    pub fn is_refuted(&self) -> bool {
        matches!(self, Self::Refuted(_))
    }
}

/// Why it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The reason, for people.
    pub explanation: String,
    /// What was taken for granted besides PostgreSQL's own rules: which rows a membership table holds.
    pub assumptions: Vec<String>,
}

/// A row and a session for which it does not hold. Every part of the expressions was evaluated exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// What happens, for people.
    pub explanation: String,
    /// The value of the tenant setting that the session is bound to; `None` when it is not bound.
    pub tenant: Option<String>,
    /// The settings that matter, the tenant's among them: `None` is "never set".
    pub settings: Vec<(String, Option<String>)>,
    /// The row that is seen, changed, deleted or written, by column, as far as the policies look at it.
    pub row: Vec<(String, Option<String>)>,
    /// The row's tenant; `None` where its tenant column is NULL, or its tenant is its parent's.
    pub row_tenant: Option<String>,
    /// Statements that show it: they evaluate what the policies compute on this row and change nothing.
    pub sql: String,
    /// The settings that the policies read, in lower case.
    pub settings_read: BTreeSet<String>,
    /// Whether its tenants are special: named by the policies, or such as only certain tenants are (`%` for LIKE).
    pub is_special: bool,
    /// Whether the policies read the role's name.
    pub reads_role: bool,
    /// CHECK constraints on the columns in question that could not be evaluated, so that they might forbid the row.
    pub unchecked: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The reason, for people.
    pub reason: String,
    /// The sub-expression that stopped it.
    pub expression: String,
}

/// The answers for one command on one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandVerdict {
    /// The command.
    pub command: Command,
    /// The policies that apply to the role for this command, by name.
    pub policies: Vec<String>,
    /// Each aspect's answer, in the order of [`Aspect::of`].
    pub aspects: Vec<(Aspect, Verdict)>,
}

impl CommandVerdict {
    /// The answer for one aspect.
    pub fn aspect(&self, aspect: Aspect) -> Option<&Verdict> {
        self.aspects
            .iter()
            .find(|(a, _)| *a == aspect)
            .map(|(_, verdict)| verdict)
    }

    /// Whether every aspect was proven.
    pub fn is_proven(&self) -> bool {
        self.aspects.iter().all(|(_, verdict)| verdict.is_proven())
    }
}
