//! `migrate status`: how files, history and the live policies compare.

use std::fmt;

use serde::Serialize;
use tokio_postgres::Transaction;

use crate::error::Result;
use crate::migrate::history::HistoryTables;
use crate::migrate::plan::{MigrationPlan, MigrationState, PlanEntry};
use crate::migrate::source::Files;
use crate::policy::{self, Drift, Live, PolicyEntry};
use crate::sql::QualifiedName;

/// Everything that a run would look at before it changes anything.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The highest applied version.
    pub version: Option<i64>,
    /// All migrations, of files and history, by version.
    pub migrations: Vec<MigrationStatus>,
    /// All policy files, of folder and history, by name.
    pub policies: Vec<PolicyStatus>,
    /// Tables with policies that no file says.
    pub undeclared: Vec<String>,
    /// Why a run would be refused.
    pub refusal: Option<String>,
}

/// One migration.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: MigrationState,
    /// When it was applied, as Refinery wrote it.
    pub applied_on: Option<String>,
}

/// How a policies file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PolicyFileState {
    /// Applied, and the file is as it was.
    Applied,
    /// Never applied.
    Pending,
    /// Applied, and changed since: to be applied again.
    Changed,
    /// Applied, still in force, and the file is missing.
    Missing,
    /// Its table does not exist (yet).
    NoTable,
}

impl fmt::Display for PolicyFileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::NoTable => "no table",
        })
    }
}

impl From<&PlanEntry<'_, '_>> for MigrationStatus {
    fn from(entry: &PlanEntry<'_, '_>) -> Self {
        let name = entry
            .file
            .map(|file| &file.name)
            .or(entry.applied.map(|applied| &applied.name));
        Self {
            version: i64::from(entry.version),
            name: name.cloned().unwrap_or_default(),
            state: entry.state,
            applied_on: entry.applied.map(|applied| applied.applied_on.clone()),
        }
    }
}

impl From<&PolicyEntry<'_>> for PolicyStatus {
    fn from(entry: &PolicyEntry<'_>) -> Self {
        Self {
            name: entry.file.name().to_owned(),
            table: entry.table.as_ref().map(QualifiedName::plain),
            state: match (&entry.table, entry.applied, entry.changed) {
                (None, ..) => PolicyFileState::NoTable,
                (_, None, _) => PolicyFileState::Pending,
                (_, Some(_), true) => PolicyFileState::Changed,
                (_, Some(_), false) => PolicyFileState::Applied,
            },
            applied_on: entry.applied.map(|applied| applied.row.applied_on.clone()),
            drift: entry.drift.clone(),
        }
    }
}

/// One policies file.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PolicyStatus {
    /// The file's name without `.sql`.
    pub name: String,
    /// The table, as `schema.name`.
    pub table: Option<String>,
    /// How the file stands.
    pub state: PolicyFileState,
    /// When it was last applied.
    pub applied_on: Option<String>,
    /// How the live policies differ from what was applied.
    pub drift: Vec<Drift>,
}

impl Status {
    pub(crate) async fn read(
        transaction: &Transaction<'_>,
        files: &Files,
        history: &HistoryTables,
    ) -> Result<Self> {
        let mut status = Self {
            version: None,
            migrations: Vec::new(),
            policies: Vec::new(),
            undeclared: Vec::new(),
            refusal: None,
        };
        if let Some(files) = &files.migrations {
            let applied = history.applied(transaction).await?;
            let plan = MigrationPlan::new(files, &applied)?;
            status.version = plan.current.map(i64::from);
            status.refusal = plan.require_fit().err().map(|error| error.chain());
            status.migrations = plan.entries.iter().map(MigrationStatus::from).collect();
        }
        if let Some(files) = &files.policies {
            let applied = history.applied_policies(transaction).await?;
            let live = Live::read(transaction, None).await?;
            let plan = policy::plan(files, &applied, &live)?;
            status.policies = plan.entries.iter().map(PolicyStatus::from).collect();
            for orphan in &plan.orphans {
                let tables: Vec<_> = orphan.tables().map(QualifiedName::plain).collect();
                status.policies.push(PolicyStatus {
                    name: orphan.row.name.clone(),
                    table: Some(tables.join(", ")),
                    state: PolicyFileState::Missing,
                    applied_on: Some(orphan.row.applied_on.clone()),
                    drift: Vec::new(),
                });
                status
                    .refusal
                    .get_or_insert_with(|| format!("the policies file {}.sql is missing", orphan.row.name));
            }
            status.undeclared = plan.undeclared.iter().map(QualifiedName::plain).collect();
        }
        Ok(status)
    }

    /// Every difference between the live policies and what was applied.
    pub fn drift(&self) -> impl Iterator<Item = &Drift> {
        self.policies.iter().flat_map(|policy| &policy.drift)
    }

    /// Files that a run would apply, drift put aside.
    pub fn pending(&self) -> usize {
        let migrations = self
            .migrations
            .iter()
            .filter(|m| m.state == MigrationState::Pending);
        let states = [
            PolicyFileState::Pending,
            PolicyFileState::Changed,
            PolicyFileState::NoTable,
        ];
        migrations.count() + self.policies.iter().filter(|p| states.contains(&p.state)).count()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its fraction of a second.
        let time = |time: &Option<String>| {
            time.as_ref()
                .map(|time| time.chars().take(19).collect::<String>())
        };
        writeln!(f, "migrations")?;
        for item in &self.migrations {
            let title = format!("V{}__{}", item.version, item.name);
            match time(&item.applied_on) {
                Some(time) => writeln!(f, "  {:<9} {title:<40} {time}", item.state)?,
                None => writeln!(f, "  {:<9} {title}", item.state)?,
            }
        }
        writeln!(f, "policies")?;
        for item in &self.policies {
            let table = item.table.as_deref().unwrap_or("-");
            let label = format!("{}.sql", item.name);
            let state = if item.drift.is_empty() {
                item.state.to_string()
            } else {
                "drifted".to_owned()
            };
            match time(&item.applied_on) {
                Some(time) => writeln!(f, "  {state:<9} {label:<28} {table:<28} {time}")?,
                None => writeln!(f, "  {state:<9} {label:<28} {table}")?,
            }
            for drift in &item.drift {
                writeln!(f, "            {drift}")?;
            }
        }
        for table in &self.undeclared {
            writeln!(f, "note: {table} has policies and no policies file")?;
        }
        Ok(())
    }
}
