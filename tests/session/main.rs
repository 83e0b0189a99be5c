//! Tenant sessions against real servers: what is promised is attacked, and each protection has a twin without it.

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

mod bound;
mod cancel;
mod citus;
mod cross;
mod examples;
mod faults;
mod guard;
mod one_shot;
mod pool;
mod round_trips;
mod run;
mod shop;
mod soaked;
mod tracked;
mod values;
mod watched;
