//! Migrations and policies, applied in order, once, all or nothing.
//!
//! Built on Refinery: its file names, checksums and history table (`refinery_schema_history`), so that a project can
//! come from Refinery and go back. What is added: one transaction a run, a lock against runs at the same time, policies as
//! wanted state, a strict look at the files, and an error for data migrations that row security turns into nothing.
//! `docs/migrations.md` is the guide.

mod activity;
mod alone;
mod apply;
mod embedded;
mod executor;
mod failure;
mod file;
mod folder;
mod history;
mod lexer;
mod lock;
mod mentions;
mod migration;
mod migrator;
mod plan;
mod policies;
mod report;
mod run;
mod session;
mod silent;
mod source;
mod status;

pub use migrator::Migrator;
pub use plan::MigrationState;
pub use report::{MigrationReport, Ran, Skipped};
pub use source::Source;
pub use status::{MigrationStatus, PolicyFileState, PolicyStatus, Status};

// For the policies.
pub(crate) use executor::Apply;
pub(crate) use failure::of_file as file_failed;
pub(crate) use file::SqlFile;
pub(crate) use history::{AppliedPolicy, HistoryTable};
#[cfg(feature = "testing")]
pub(crate) use history::{MIGRATIONS as MIGRATION_HISTORY, POLICIES as POLICY_HISTORY};
pub(crate) use lexer::{Token, statements};
pub(crate) use migration::refuse_what_cannot_run;
pub(crate) use session::{Session, require_transaction, transaction_id};
