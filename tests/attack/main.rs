//! The live attacks, against real servers: what they find, what they leave behind, and for which schemas they can make
//! rows.
//!
//! A new attack gets its evidence as fixtures in its probe's folder (`fixtures` runs them); a new shape of table goes to
//! `rows`; whatever could leave a trace goes to `harmless`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;
mod corpus;
mod fixtures;
mod harmless;
mod reference;
mod rows;
mod self_test;
#[path = "../support/mod.rs"]
mod support;
mod twin;
mod values;
