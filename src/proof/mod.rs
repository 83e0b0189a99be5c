//! Proof from the policies themselves: does "visible" imply "same tenant", for every row and every session?
//!
//! Reads the expressions as PostgreSQL stores them ([`tree`]), bound to object ids, so that a shadowed function or
//! operator cannot fool it.

mod answer;
pub(crate) mod body;
pub(crate) mod builtin;
mod cache;
mod combine;
mod eval;
mod from_catalog;
mod ir;
mod logic;
mod lower;
mod prover;
mod question;
mod refute;
mod report;
mod symbols;
pub mod tree;
mod value;
mod verdict;
mod why;

pub(crate) use lower::literal;
pub use prover::Prover;
pub use question::{Command, Membership, Policy, Scope, Session, Shared, Statement, TablePolicies, Tenancy};
pub use symbols::{
    Check, Column, FIRST_NORMAL_OID, Function, Operator, Relation, Symbols, Tree, Type, TypeKind,
};
pub(crate) use value::{Value, print};
pub use verdict::{Aspect, CommandVerdict, Counterexample, Proof, Undecided, Verdict};
