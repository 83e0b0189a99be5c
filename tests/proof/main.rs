//! Proofs against a real server: a corpus of policy forms with the verdicts they deserve, each refutation run; and random
//! policies whose verdicts are compared with what PostgreSQL itself says.
//!
//! A new form of policy gets a line in `corpus`, a new way of combining policies or of belonging to a tenant a case in
//! `tables`.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod corpus;
mod expressions;
mod harness;
mod random;
mod reference;
mod roles;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod wicked;
