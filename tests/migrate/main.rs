//! `rls-tool migrate` and the library behind it, on real servers: what is applied, what is refused, and what is left when
//! something goes wrong in the middle.
//!
//! One module a theme. Tests of parsing alone stand beside the parsers in `src/migrate/`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/proxy.rs"]
mod proxy;

mod commit;
mod dry_run;
mod files;
mod history;
mod input;
mod interrupted;
mod locks;
mod outside;
mod parallel;
mod policies;
mod project;
mod roles;
mod silent;
mod silent_told;
mod status;
mod tool;
