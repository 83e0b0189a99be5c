//! Makes a table's policies what its file says: the flags of the last application are put back, every policy is dropped,
//! the file is run, and what came of it is kept in the history.

use std::collections::BTreeSet;

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::{
    Apply, HistoryTable, MigrationReport, Ran, Session, file_failed, require_transaction, transaction_id,
};
use crate::policy::file::PolicyFile;
use crate::policy::live::{self, Live, LiveTable};
use crate::policy::plan::PolicyEntry;
use crate::policy::state::TableState;
use crate::sql::{Ident, QualifiedName};

/// One policies file to be applied.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub(crate) file: &'a PolicyFile,
    pub(crate) table: QualifiedName,
    /// What the last application made: the table, and partitions that it touched.
    recorded: Vec<TableState>,
    reason: String,
    /// Its version in the policies' history.
    pub(crate) version: i64,
}

impl<'a> Step<'a> {
    /// The step that brings `entry` to what it should be; none where its table does not exist.
    pub(crate) fn new(entry: &PolicyEntry<'a>, version: i64) -> Option<Self> {
        let reason = match (entry.applied, entry.changed) {
            (None, _) => "new".to_owned(),
            (Some(_), true) => "changed".to_owned(),
            (Some(_), false) => {
                let drift: Vec<_> = entry.drift.iter().map(ToString::to_string).collect();
                format!("put right: {}", drift.join("; "))
            }
        };
        Some(Self {
            file: entry.file,
            table: entry.table.clone()?,
            recorded: entry
                .applied
                .and_then(|applied| applied.states.clone())
                .unwrap_or_default(),
            reason,
            version,
        })
    }
}

/// Applies steps in order.
#[derive(Debug)]
pub(crate) struct ApplyPolicies<'a> {
    steps: std::vec::IntoIter<Step<'a>>,
    session: &'a Session,
    history: &'a HistoryTable,
    report: &'a mut MigrationReport,
    /// All tables before the first step.
    before: Live,
    /// Tables that other files are for.
    others: BTreeSet<QualifiedName>,
    /// What the steps so far have made.
    made: Vec<TableState>,
    /// What the last step has made, to be kept once it has its row.
    open: Option<(i64, Vec<TableState>)>,
}

impl<'a> ApplyPolicies<'a> {
    /// `others` are the tables of all policy files.
    pub(crate) fn new(
        steps: Vec<Step<'a>>,
        session: &'a Session,
        history: &'a HistoryTable,
        report: &'a mut MigrationReport,
        before: Live,
        others: BTreeSet<QualifiedName>,
    ) -> Self {
        Self {
            steps: steps.into_iter(),
            session,
            history,
            report,
            before,
            others,
            made: Vec::new(),
            open: None,
        }
    }

    /// After the last step: each file has changed its own table alone.
    pub(crate) async fn finish(self, transaction: &Transaction<'_>) -> Result<()> {
        let after = Live::read(transaction, None).await?;
        self.session.reset(transaction, true).await?;
        for (table, live) in &after.tables {
            let wanted = self
                .made
                .iter()
                .find(|state| state.table == *table)
                .or_else(|| self.before.tables.get(table).map(|live| &live.state));
            let unchanged = match wanted {
                Some(wanted) => *wanted == live.state,
                None => live.state.is_bare(),
            };
            if !unchanged {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!(
                        "a policies file changed the policies of {}, which it is not named after",
                        table.plain()
                    ),
                )
                .with_help(format!(
                    "all policies of a table stand in one file named after it: {}.sql",
                    table.name.as_str()
                )));
            }
        }
        Ok(())
    }

    /// The statements that take the table back to before its file was run: flags as recorded, no policy.
    fn clear(&self, step: &Step<'_>) -> Vec<(Ident, bool, String)> {
        let mut statements = Vec::new();
        let mut of_table = |live: &LiveTable, wanted: Option<&TableState>| {
            let table = &live.state.table;
            let mut add = |sql| statements.push((live.owner.clone(), live.may_alter, sql));
            if let Some(wanted) = wanted {
                if wanted.enabled != live.state.enabled {
                    let word = if wanted.enabled { "enable" } else { "disable" };
                    add(format!("alter table {table} {word} row level security"));
                }
                if wanted.forced != live.state.forced {
                    let word = if wanted.forced { "force" } else { "no force" };
                    add(format!("alter table {table} {word} row level security"));
                }
            }
            for policy in live.state.policies.keys() {
                if let Ok(policy) = Ident::new(policy) {
                    add(format!("drop policy {policy} on {table}"));
                }
            }
        };
        for wanted in &step.recorded {
            if let Some(live) = self.before.tables.get(&wanted.table) {
                of_table(live, Some(wanted));
            }
        }
        if !step.recorded.iter().any(|state| state.table == step.table)
            && let Some(live) = self.before.tables.get(&step.table)
        {
            of_table(live, None);
        }
        statements
    }

    /// What the file has made of its table and of the partitions that no other file is for.
    async fn made_by(&self, transaction: &Transaction<'_>, step: &Step<'_>) -> Result<Vec<TableState>> {
        let gone = || {
            Error::new(
                ErrorKind::Migration,
                format!(
                    "{}: the table {} is gone after the file ran",
                    step.file.label(),
                    step.table.plain()
                ),
            )
        };
        let oid = self.before.tables.get(&step.table).ok_or_else(gone)?.oid;
        let mut oids = live::descendants(transaction, oid).await?;
        oids.push(oid);
        let after = Live::read(transaction, Some(&oids)).await?;
        if !after.tables.contains_key(&step.table) {
            return Err(gone());
        }
        let mut made = Vec::new();
        for (table, live) in after.tables {
            let state = live.state;
            let own = table == step.table;
            // A partition that the file leaves as it was is someone else's business.
            let touched = self
                .before
                .tables
                .get(&table)
                .is_none_or(|before| before.state != state)
                || step.recorded.iter().any(|recorded| recorded.table == table);
            if !own && (self.others.contains(&table) || !touched) {
                continue;
            }
            if !state.enabled && !state.policies.is_empty() {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!(
                        "{}: {} has policies but row security is off, so that they do nothing",
                        step.file.label(),
                        table.plain()
                    ),
                )
                .with_help(format!(
                    "add to the file: alter table {} enable row level security;",
                    table.plain()
                )));
            }
            made.push(state);
        }
        Ok(made)
    }

    /// Policies that were there before and that the file does not say.
    fn warn_of_dropped(&mut self, step: &Step<'_>, made: &[TableState]) {
        for state in made {
            let Some(before) = self.before.tables.get(&state.table) else {
                continue;
            };
            let known = step
                .recorded
                .iter()
                .find(|recorded| recorded.table == state.table);
            for policy in before.state.policies.keys() {
                let was_the_files = known.is_some_and(|known| known.policies.contains_key(policy));
                if !state.policies.contains_key(policy) && !was_the_files {
                    self.report.warnings.push(format!(
                        "policy {policy:?} of {} was dropped: {} does not have it",
                        state.table.plain(),
                        step.file.label()
                    ));
                }
            }
        }
    }
}

impl<'c> Apply<Transaction<'c>> for ApplyPolicies<'_> {
    async fn apply(&mut self, transaction: &Transaction<'c>, sql: &str) -> Result<()> {
        let step = self.steps.next().ok_or_else(|| {
            Error::new(
                ErrorKind::Internal,
                "Refinery ran a policies file that was not planned",
            )
        })?;
        let label = step.file.label();
        let mut ran = String::new();
        for (owner, may_alter, statement) in self.clear(&step) {
            let statement = if may_alter {
                statement
            } else {
                format!("set local role {owner}; {statement}")
            };
            transaction.batch_execute(&statement).await.map_err(|cause| {
                Error::postgres(format!("prepare {} for {label}", step.table.plain()), cause)
            })?;
            self.session.reset(transaction, true).await?;
            ran.push_str(&statement);
            ran.push_str(";\n");
        }
        let id = transaction_id(transaction).await?;
        if let Err(cause) = transaction.batch_execute(sql).await {
            return Err(file_failed(step.file.file(), None, cause));
        }
        require_transaction(transaction, &id, label).await?;
        self.session.reset(transaction, true).await?;
        let made = self.made_by(transaction, &step).await?;
        self.session.reset(transaction, true).await?;
        self.warn_of_dropped(&step, &made);
        ran.push_str(sql);
        self.report.policies.push(Ran {
            file: label.to_owned(),
            version: step.version,
            reason: Some(step.reason.clone()),
            sql: ran,
        });
        self.made.extend(made.iter().cloned());
        self.open = Some((step.version, made));
        Ok(())
    }

    async fn recorded(&mut self, transaction: &Transaction<'c>) -> Result<()> {
        let Some((version, made)) = self.open.take() else {
            return Ok(());
        };
        let failed =
            |cause| Error::postgres(format!("write the history {}", self.history.name.plain()), cause);
        let state = serde_json::to_string(&made).map_err(|cause| {
            Error::new(ErrorKind::Internal, "policies could not be written down").caused_by(cause)
        })?;
        let sql = format!(
            "update {} set state = $1::text::jsonb where version::bigint = $2",
            self.history.name
        );
        transaction
            .execute_typed(&sql, &[(&state, Type::TEXT), (&version, Type::INT8)])
            .await
            .map_err(failed)?;
        Ok(())
    }
}
