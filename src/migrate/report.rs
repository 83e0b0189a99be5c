//! What a run did: returned when it succeeds, attached to the error when it fails.

use serde::Serialize;

/// What a migration run applied.
///
/// An error of [`Migrator::run`](crate::migrate::Migrator::run) carries one too, with what had been committed by then:
/// `error.attached::<MigrationReport>()`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MigrationReport {
    /// Everything was rolled back on purpose.
    pub dry_run: bool,
    /// Migrations, in the order in which they ran.
    pub migrations: Vec<Ran>,
    /// Policy files, likewise.
    pub policies: Vec<Ran>,
    /// Files that were left out, with the reason.
    pub skipped: Vec<Skipped>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A file that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ran {
    /// The file.
    pub file: String,
    /// Its version: the migration's own, or the next one of the policies' history.
    pub version: i64,
    /// Why a policy file ran: `new`, `changed`, or the drift that it has put right.
    pub reason: Option<String>,
    /// What was run, statements of rls-tool itself first.
    pub sql: String,
}

/// A file that did not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl MigrationReport {
    /// Whether nothing had to be done.
    pub fn is_empty(&self) -> bool {
        self.migrations.is_empty() && self.policies.is_empty()
    }

    /// Takes over what another part of the run did.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.migrations.extend(other.migrations);
        self.policies.extend(other.policies);
        for skipped in other.skipped {
            if !self.skipped.contains(&skipped) {
                self.skipped.push(skipped);
            }
        }
        self.warnings.extend(other.warnings);
    }
}
