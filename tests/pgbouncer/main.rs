//! Tenant sessions behind a real PgBouncer in transaction mode, where every statement may meet another server connection.
//!
//! Not part of a plain `cargo test`: `cargo test --test pgbouncer` runs it, and fails where there is no PgBouncer.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../support/pooler.rs"]
mod pooler;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/soak.rs"]
mod soak;
#[path = "../support/subjects.rs"]
mod subjects;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tenants.rs"]
mod tenants;

mod control;
mod sessions;
mod soaked;
