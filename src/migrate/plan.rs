//! Compares migration files with Refinery's history: what is applied, what is pending, and everything for which a run is
//! refused.

use std::collections::BTreeMap;
use std::fmt;

use refinery_core::{Migration, SchemaVersion};
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::history::Applied;
use crate::migrate::migration::MigrationFile;

/// How one migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MigrationState {
    /// In the history, and the file is as it was.
    Applied,
    /// To be run.
    Pending,
    /// In the history, and the file has another name or text now.
    Changed,
    /// In the history, and there is no such file.
    Missing,
    /// Not in the history, and a higher version is.
    Late,
}

impl fmt::Display for MigrationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Late => "late",
        })
    }
}

/// One migration: its file, its row in the history, or both.
#[derive(Debug)]
pub(crate) struct PlanEntry<'f, 'h> {
    pub(crate) version: SchemaVersion,
    pub(crate) file: Option<&'f MigrationFile>,
    pub(crate) applied: Option<&'h Applied>,
    pub(crate) state: MigrationState,
}

/// All migrations, by version.
#[derive(Debug)]
pub(crate) struct MigrationPlan<'f, 'h> {
    pub(crate) entries: Vec<PlanEntry<'f, 'h>>,
    /// The history's highest version.
    pub(crate) current: Option<SchemaVersion>,
}

impl<'f, 'h> MigrationPlan<'f, 'h> {
    /// Compares.
    pub(crate) fn new(files: &'f [MigrationFile], history: &'h [Applied]) -> Result<Self> {
        let current = history.iter().map(|applied| applied.version).max();
        let mut both: BTreeMap<SchemaVersion, (Option<&MigrationFile>, Option<&Applied>)> = BTreeMap::new();
        for file in files {
            both.entry(file.version).or_default().0 = Some(file);
        }
        for applied in history {
            both.entry(applied.version).or_default().1 = Some(applied);
        }
        let mut entries = Vec::new();
        for (version, (file, applied)) in both {
            let state = match (file, applied) {
                (Some(file), Some(applied)) => {
                    let same = file.refinery_matching(applied.checksum)?.checksum() == applied.checksum
                        && file.name == applied.name;
                    if same {
                        MigrationState::Applied
                    } else {
                        MigrationState::Changed
                    }
                }
                (None, _) => MigrationState::Missing,
                (Some(_), None) if current > Some(version) => MigrationState::Late,
                (Some(_), None) => MigrationState::Pending,
            };
            entries.push(PlanEntry {
                version,
                file,
                applied,
                state,
            });
        }
        Ok(Self { entries, current })
    }

    /// Refuses a history that does not fit the files.
    pub(crate) fn require_fit(&self) -> Result<()> {
        for entry in &self.entries {
            let title = |applied: &Applied| format!("V{}__{}", applied.version, applied.name);
            let error = match (entry.state, entry.file, entry.applied) {
                (MigrationState::Changed, Some(file), Some(applied)) if file.name != applied.name => (
                    format!("{} was applied as {}", file.file.label, title(applied)),
                    AS_APPLIED,
                ),
                (MigrationState::Changed, Some(file), Some(applied)) => (
                    format!(
                        "{} was changed after it was applied on {}",
                        file.file.label, applied.applied_on
                    ),
                    AS_APPLIED,
                ),
                (MigrationState::Missing, _, Some(applied)) => (
                    format!(
                        "{} was applied on {} and its file is missing",
                        title(applied),
                        applied.applied_on
                    ),
                    "bring the file back; if this is another project's folder, name the right one with --migrations",
                ),
                (MigrationState::Late, Some(file), _) => (
                    format!(
                        "{} has a lower version than the last applied one, {}",
                        file.file.label,
                        self.current.unwrap_or_default()
                    ),
                    "give it the next free number: others' databases have passed its place",
                ),
                _ => continue,
            };
            return Err(Error::new(ErrorKind::Migration, error.0).with_help(error.1));
        }
        Ok(())
    }

    /// Refuses a target that cannot be reached going forward; gives the version to reach.
    pub(crate) fn target(&self, target: Option<i64>) -> Result<SchemaVersion> {
        let last = self.entries.last().map_or(0, |entry| entry.version);
        let Some(target) = target else { return Ok(last) };
        let found = self
            .entries
            .iter()
            .find(|entry| i64::from(entry.version) == target);
        let Some(found) = found else {
            let first = self.entries.first().map_or(0, |entry| entry.version);
            return Err(
                Error::input(format!("there is no migration with version {target}"))
                    .with_help(format!("the versions go from {first} to {last}")),
            );
        };
        if let Some(current) = self.current.filter(|current| *current > found.version) {
            return Err(Error::input(format!(
                "the database is at version {current} already, past the target {target}"
            ))
            .with_help("there is no way down: undo it with a new migration"));
        }
        Ok(found.version)
    }

    /// Files to run up to `target`, in order.
    pub(crate) fn pending(&self, target: SchemaVersion) -> Vec<&'f MigrationFile> {
        let pending = self
            .entries
            .iter()
            .filter(|entry| entry.state == MigrationState::Pending);
        pending
            .filter(|entry| entry.version <= target)
            .filter_map(|entry| entry.file)
            .collect()
    }

    /// Every file as Refinery wants it, without those of `without`.
    pub(crate) fn refinery(&self, without: &[SchemaVersion]) -> Result<Vec<Migration>> {
        let files = self
            .entries
            .iter()
            .filter(|entry| !without.contains(&entry.version));
        files
            .filter_map(|entry| {
                let file = entry.file?;
                Some(match entry.applied {
                    Some(applied) => file.refinery_matching(applied.checksum),
                    None => file.refinery(),
                })
            })
            .collect()
    }
}

const AS_APPLIED: &str = "put the file back as it was applied; what is to change goes into a new file";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::file::SqlFile;

    fn file(name: &str, sql: &str) -> MigrationFile {
        MigrationFile::new(SqlFile::new(format!("m/{name}.sql"), sql).unwrap()).unwrap()
    }

    fn applied(name: &str, sql: &str) -> Applied {
        let migration = Migration::unapplied(name, sql).unwrap();
        Applied {
            version: migration.version(),
            name: migration.name().to_owned(),
            applied_on: "2026-01-31T12:00:00Z".to_owned(),
            checksum: migration.checksum(),
        }
    }

    fn refusal(files: &[MigrationFile], history: &[Applied]) -> String {
        let plan = MigrationPlan::new(files, history).unwrap();
        plan.require_fit().unwrap_err().chain()
    }

    #[test]
    fn a_history_that_does_not_fit_is_refused_by_name() {
        let files = [file("V1__a", "select 1"), file("V3__c", "select 3")];
        let (one, three) = (applied("V1__a", "select 1"), applied("V3__c", "select 3"));
        assert!(
            MigrationPlan::new(&files, &[one.clone(), three.clone()])
                .unwrap()
                .require_fit()
                .is_ok()
        );
        let edited = applied("V1__a", "select 2");
        assert!(refusal(&files, &[edited]).contains("m/V1__a.sql was changed after it was applied"));
        assert!(refusal(&files, &[applied("V1__b", "select 1")]).contains("was applied as V1__b"));
        assert!(refusal(&files[1..], &[one]).contains("V1__a was applied"));
        assert!(refusal(&files, &[three]).contains("m/V1__a.sql has a lower version"));
    }

    #[test]
    fn a_file_whose_line_endings_alone_changed_is_the_same() {
        let files = [file("V1__a", "select 1;\n")];
        let history = [applied("V1__a", "select 1;\r\n")];
        let plan = MigrationPlan::new(&files, &history).unwrap();
        plan.require_fit().unwrap();
        assert_eq!(plan.refinery(&[]).unwrap()[0].checksum(), history[0].checksum);
    }

    #[test]
    fn a_target_is_a_version_that_lies_ahead() {
        let files = [
            file("V1__a", "select 1"),
            file("V3__c", "select 3"),
            file("V4__d", "select 4"),
        ];
        let history = [applied("V1__a", "select 1"), applied("V3__c", "select 3")];
        let plan = MigrationPlan::new(&files, &history).unwrap();
        assert_eq!(plan.target(None).unwrap(), 4);
        assert_eq!(plan.target(Some(3)).unwrap(), 3);
        for bad in [0, 1, 2, 5, i64::MAX] {
            assert!(plan.target(Some(bad)).unwrap_err().help().is_some(), "{bad}");
        }
        assert_eq!(plan.pending(4).len(), 1);
        assert!(plan.pending(3).is_empty());
    }
}
