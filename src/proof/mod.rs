//! Proof from the policies themselves: does "visible" imply "same tenant", for every row and every session?
//!
//! Reads the expressions as PostgreSQL stores them ([`tree`]), bound to object ids, so that a shadowed function or
//! operator cannot fool it.

pub mod tree;
