//! Brings the policies to what their files say, within a run's transaction.

use std::collections::BTreeSet;

use refinery_core::SchemaVersion;
use tokio_postgres::Transaction;

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::executor;
use crate::migrate::history::HistoryTables;
use crate::migrate::report::{MigrationReport, Skipped};
use crate::migrate::session::Session;
use crate::policy::{self, ApplyPolicies, Live, PolicyEntry, PolicyFile, PolicyPlan, Step};

/// Which policy files are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All; each has its table.
    All,
    /// Those whose table exists at the target version.
    ExistingTables,
    /// Those that were never applied and whose table exists: what is about to be committed must not stand open while a
    /// file runs outside a transaction. Policies in force stay as they are until the last transaction.
    NewTables,
}

/// Applies what is due.
pub(crate) async fn apply(
    transaction: &Transaction<'_>,
    files: &[PolicyFile],
    history: &HistoryTables,
    session: &Session,
    scope: Scope,
    report: &mut MigrationReport,
    planned: &mut Vec<String>,
) -> Result<()> {
    let applied = history.applied_policies(transaction).await?;
    let live = Live::read(transaction, None).await?;
    session.reset(transaction, true).await?;
    let plan = policy::plan(files, &applied, &live)?;
    if scope != Scope::NewTables {
        require_files(&plan)?;
    }
    let mut version = applied
        .iter()
        .map(|applied| applied.row.version)
        .max()
        .unwrap_or(0);
    let mut migrations = applied
        .iter()
        .map(|applied| history.policies.refinery(&applied.row))
        .collect::<Result<Vec<_>>>()?;
    let mut steps = Vec::new();
    for entry in plan.entries.iter().filter(|entry| due(entry, scope)) {
        let Some(step) = Step::new(entry, i64::from(version) + 1) else {
            if scope == Scope::All {
                return Err(no_table(entry.file));
            }
            report.skipped.push(Skipped {
                file: entry.file.label().to_owned(),
                reason: "its table does not exist at the target version".to_owned(),
            });
            continue;
        };
        version = next(version)?;
        migrations.push(entry.file.refinery(version)?);
        planned.push(entry.file.label().to_owned());
        steps.push(step);
    }
    if steps.is_empty() {
        return Ok(());
    }
    let tables: BTreeSet<_> = plan
        .entries
        .iter()
        .filter_map(|entry| entry.table.clone())
        .collect();
    let mut apply = ApplyPolicies::new(steps, session, &history.policies, report, live, tables);
    executor::run(transaction, &history.policies, &migrations, version, &mut apply).await?;
    apply.finish(transaction).await
}

fn due(entry: &PolicyEntry<'_>, scope: Scope) -> bool {
    match scope {
        Scope::NewTables => entry.applied.is_none() && entry.table.is_some(),
        Scope::All | Scope::ExistingTables => entry.table.is_none() || entry.is_pending(),
    }
}

fn next(version: SchemaVersion) -> Result<SchemaVersion> {
    version
        .checked_add(1)
        .ok_or_else(|| Error::new(ErrorKind::Migration, "the policies' history is full"))
}

/// Refuses to go on where policies are in force that no file says.
fn require_files(plan: &PolicyPlan<'_>) -> Result<()> {
    let Some(orphan) = plan.orphans.first() else {
        return Ok(());
    };
    let name = &orphan.row.name;
    let tables: Vec<_> = orphan.tables().map(crate::sql::QualifiedName::plain).collect();
    Err(Error::new(
        ErrorKind::Migration,
        format!("the policies file {name}.sql was applied to {} and is missing", tables.join(", ")),
    )
    .with_help(format!(
        "bring it back; a table that is to have no policies says so in its file: alter table {} disable row level \
         security;",
        tables.first().map_or("…", String::as_str)
    )))
}

fn no_table(file: &PolicyFile) -> Error {
    let name = file.marked_table().unwrap_or(file.name());
    Error::new(ErrorKind::Migration, format!("{}: there is no table {name:?}", file.label())).with_help(
        "a policies file is named after its table, or names it in its first line: -- rls-tool: table schema.name; if the \
         table is gone for good, delete the file",
    )
}
