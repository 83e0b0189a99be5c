//! Conditions: literals over terms, and their combinations.

use super::term::{RowKey, TermId};

/// Something that holds or not in one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lit {
    /// Neither is NULL, and they are equal.
    Equal(TermId, TermId),
    /// Neither is NULL, and they differ.
    Differ(TermId, TermId),
    Null(TermId),
    NotNull(TermId),
    /// This row of another table is the bound tenant's.
    Owned(RowKey),
}

/// A condition. The number is the expression it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cond {
    True,
    False,
    /// Nothing is known: it may hold or not, because the expression is not understood in this respect.
    Unknown(usize),
    Lit(Lit, usize),
    And(Vec<Cond>),
    Or(Vec<Cond>),
}

impl Cond {
    pub(crate) fn and(list: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for cond in list {
            match cond {
                Self::True => {}
                Self::False => return Self::False,
                Self::And(inner) => all.extend(inner),
                cond => all.push(cond),
            }
        }
        match all.len() {
            0 => Self::True,
            1 => all.remove(0),
            _ => Self::And(all),
        }
    }

    pub(crate) fn or(list: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Vec::new();
        for cond in list {
            match cond {
                Self::False => {}
                Self::True => return Self::True,
                Self::Or(inner) => any.extend(inner),
                cond => any.push(cond),
            }
        }
        match any.len() {
            0 => Self::False,
            1 => any.remove(0),
            _ => Self::Or(any),
        }
    }

    /// How much there is of it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::And(list) | Self::Or(list) => 1 + list.iter().map(Self::size).sum::<usize>(),
            _ => 1,
        }
    }
}
