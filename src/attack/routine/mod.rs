//! Functions and procedures as doors: what to call them with, what must not come back, what must not happen.
//!
//! Whoever attacks knows the schema and may know ids of other tenants (they travel in URLs), but not what stands in their
//! rows. What a function tells somebody who has a row's content already is a lookup.

mod arguments;
mod calls;
mod guesses;
mod outside;
mod said;

pub(crate) use arguments::Argument;
pub(crate) use calls::{Routine, Shadow};
pub(crate) use outside::{goes_outside, mentions, mentions_bare};
pub(crate) use said::Said;
