//! Evaluating expressions on concrete values, exactly as PostgreSQL does or not at all.
//!
//! An error and "not known here" are results of their own: a refutation may rest on neither.

mod compare;
mod functions;
mod pattern;
mod world;

pub(crate) use compare::compare;
pub(crate) use functions::{call, cast};
pub(crate) use pattern::Pattern;
pub(crate) use world::World;

use super::value::Value;

/// What evaluating gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A value, or NULL.
    Value(Option<Value>),
    /// PostgreSQL raises an error.
    Error,
    /// Not known here.
    Unknown,
}

impl Outcome {
    pub(crate) const TRUE: Self = Self::Value(Some(Value::Bool(true)));
    pub(crate) const NULL: Self = Self::Value(None);

    pub(crate) fn truth(truth: bool) -> Self {
        Self::Value(Some(Value::Bool(truth)))
    }
}
