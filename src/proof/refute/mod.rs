//! Looking for a counterexample: a concrete session and row for which the policies are true and the goal is not.
//!
//! Guided by an open case of the proof, then by trying values that the expressions mention. What is returned was
//! evaluated exactly; nothing is concluded from finding none.

mod candidates;
mod find;
mod guess;
mod model;
mod prune;
mod sql;

pub(crate) use find::{Problem, find};
pub(crate) use model::Model;
pub(crate) use sql::statements;
