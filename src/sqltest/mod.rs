//! Isolation tests in plain SQL, for teams without Rust: a folder of `*.sql` files, each test a statement, who runs it,
//! and what must come of it. `rls-tool test` runs them; `docs/testing.md` has the format.
//!
//! Everything happens in one transaction that cannot be committed: two tenants with rows in every table are made (or
//! named by the caller), each test runs in a savepoint of its own as the application's role, bound as it says.

mod case;
mod file;
mod judge;
#[cfg(feature = "formats")]
mod junit;
mod run;
mod tap;

pub use run::{SqlTests, TestResult, TestRun};
