//! Tenant sessions against real servers: what is promised is attacked, and each protection has a twin without it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../support/mod.rs"]
mod support;

mod bound;
mod guard;
mod shop;
