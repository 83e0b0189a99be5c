//! The reference schema under attack: every table and rule of migrations/ and policies/.
//!
//! Attacks run over real connections as `app_user`, in a database of the test's own. Each has a twin that takes the
//! protection away and shows that the same attack then works; without it a test might pass for the wrong reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod attempt;
mod caches;
mod foreign_keys;
mod ids;
mod isolation;
mod lookups;
mod migrator;
mod partitions;
mod plans;
mod privileges;
mod rate_limits;
mod roles;
mod shape;
mod states;
mod tables;
mod uniqueness;
mod world;
