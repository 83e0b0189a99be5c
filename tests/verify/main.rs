//! The audit from outside: what the catalog holds, what the model decides, what the command line does.
//!
//! A test of one check's findings belongs to its folder (`src/checks/<check>/*.sql`, run by `tests/checks`).

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../support/mod.rs"]
mod support;

mod catalog;
mod cli;
mod evidence;
mod identities;
mod idioms;
mod managed;
mod model;
mod reference;
