//! The decision procedure: whether some row and session can make all premises true and the goal not.
//!
//! [`Builder`] turns "this expression is true" into [`Cond`]itions on terms; [`search`] goes through their cases, each
//! with a [`Theory`] of what is equal, different, NULL and not NULL. Both only ever lose information: a condition may
//! hold where the expression is not true, never the other way round, and a case counts as impossible only when it is.
//! So no open case means that the goal holds. An open case means nothing yet.

mod alternatives;
mod arrays;
mod build;
mod cond;
mod facts;
mod search;
mod term;
mod theory;
mod truth;
pub(crate) mod values;

pub(crate) use build::{Builder, Premise, State};
pub(crate) use cond::{Cond, Lit};
pub(crate) use facts::Goal;
pub(crate) use search::{Leaf, Outcome, search};
pub(crate) use term::{Op, RowKey, Term, TermId, TermKind, Terms};
