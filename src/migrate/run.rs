//! One run: transaction after transaction until nothing is left to do. Ordinarily there is one; each file that must run
//! outside a transaction divides it.

use tokio_postgres::{Client, Transaction};

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::alone::ApplyAlone;
use crate::migrate::apply::ApplyMigrations;
use crate::migrate::history::HistoryTables;
use crate::migrate::lock::{self, Wait};
use crate::migrate::migration::MigrationFile;
use crate::migrate::migrator::Migrator;
use crate::migrate::plan::MigrationPlan;
use crate::migrate::policies;
use crate::migrate::report::{MigrationReport, Ran, Skipped};
use crate::migrate::session::Session;
use crate::migrate::{executor, failure};

/// What a transaction left to be done.
enum Next<'m> {
    /// Nothing.
    Done,
    /// This file, outside a transaction; then another transaction.
    Alone(&'m MigrationFile),
}

/// The state of a run.
pub(crate) struct Run<'m> {
    migrator: &'m Migrator,
    session: Session,
    /// What is in effect.
    committed: MigrationReport,
    /// What the open transaction has done.
    open: MigrationReport,
    /// Files that the open transaction means to run.
    planned: Vec<String>,
    /// The session has the lock, not only the transaction.
    kept: bool,
    /// The connection was lost during COMMIT: nobody but the server knows.
    in_doubt: bool,
}

impl<'m> Run<'m> {
    pub(crate) async fn new(migrator: &'m Migrator, client: &Client) -> Result<Self> {
        Ok(Self {
            session: Session::remember(client, migrator.lock_timeout).await?,
            migrator,
            committed: MigrationReport {
                dry_run: migrator.dry_run,
                ..MigrationReport::default()
            },
            open: MigrationReport::default(),
            planned: Vec::new(),
            kept: false,
            in_doubt: false,
        })
    }

    /// Runs until nothing is left, and says on failure what is in effect.
    pub(crate) async fn finish(mut self, client: &mut Client) -> Result<MigrationReport> {
        let result = self.transactions(client).await;
        if self.kept && !client.is_closed() {
            // On failure too: the session may live on in the caller's hands.
            let released = lock::release(client).await;
            if result.is_ok() {
                released?;
            }
        }
        match result {
            Ok(()) => Ok(self.committed),
            // Refused before anything ran: the error says it all.
            Err(error) if self.planned.is_empty() && self.committed.is_empty() => Err(error),
            Err(error) => {
                let error = if error.kind() == ErrorKind::Closed && error.help().is_none() {
                    error.with_help("run it again when the database is back: it goes on from there")
                } else {
                    error
                };
                Err(failure::of_run(
                    error,
                    self.committed,
                    &self.planned,
                    self.in_doubt,
                ))
            }
        }
    }

    async fn transactions(&mut self, client: &mut Client) -> Result<()> {
        let mut wait = Wait::new(self.migrator.wait_for_run);
        loop {
            let transaction = lock::begin(client).await?;
            if !lock::try_acquire(&transaction).await? {
                transaction
                    .rollback()
                    .await
                    .map_err(|cause| Error::postgres("end a transaction", cause))?;
                wait.pause().await?;
                continue;
            }
            let next = self.transaction(&transaction).await?;
            if self.migrator.dry_run {
                transaction
                    .rollback()
                    .await
                    .map_err(|cause| Error::postgres("roll the dry run back", cause))?;
                self.committed.absorb(std::mem::take(&mut self.open));
                return Ok(());
            }
            transaction.commit().await.map_err(|cause| {
                let lost = cause.is_closed();
                self.in_doubt = lost;
                let error = Error::postgres("commit", cause).or_kind(ErrorKind::Migration);
                if lost {
                    error.with_help(
                        "the server may have committed all the same: `rls-tool migrate status` shows it, and running \
                         again is safe",
                    )
                } else {
                    error
                }
            })?;
            self.committed.absorb(std::mem::take(&mut self.open));
            match next {
                Next::Done => return Ok(()),
                Next::Alone(file) => self.alone(client, file).await?,
            }
        }
    }

    /// One transaction: the migrations up to the next one that must run outside, then policies.
    async fn transaction(&mut self, transaction: &Transaction<'_>) -> Result<Next<'m>> {
        let migrator = self.migrator;
        self.session.reset(transaction, true).await?;
        let history = HistoryTables::find(transaction, migrator.history_schema.as_deref()).await?;
        let (mut next, mut latest) = (Next::Done, true);
        if let Some(files) = &migrator.files.migrations {
            let applied = history.applied(transaction).await?;
            let plan = MigrationPlan::new(files, &applied)?;
            plan.require_fit()?;
            let target = plan.target(migrator.target)?;
            latest = plan.entries.last().is_none_or(|entry| entry.version <= target);
            let pending = plan.pending(target);
            self.planned = pending.iter().map(|file| file.file.label.clone()).collect();
            let (mut now, mut left_out) = (pending.clone(), Vec::new());
            if migrator.dry_run {
                now.retain(|file| !file.no_transaction);
                for file in pending.iter().filter(|file| file.no_transaction) {
                    left_out.push(file.version);
                    self.open.skipped.push(Skipped {
                        file: file.file.label.clone(),
                        reason: "it runs outside a transaction, which a dry run cannot roll back".to_owned(),
                    });
                }
            } else if let Some(at) = pending.iter().position(|file| file.no_transaction) {
                next = Next::Alone(pending[at]);
                now.truncate(at);
            }
            if let Some(last) = now.last() {
                let last = last.version;
                let mut apply = ApplyMigrations::new(transaction, now, &self.session, &mut self.open).await?;
                let migrations = plan.refinery(&left_out)?;
                executor::run(transaction, &history.migrations, &migrations, last, &mut apply).await?;
            }
        }
        if let Some(files) = &migrator.files.policies {
            let scope = match next {
                Next::Alone(_) => policies::Scope::NewTables,
                Next::Done if latest => policies::Scope::All,
                Next::Done => policies::Scope::ExistingTables,
            };
            policies::apply(
                transaction,
                files,
                &history,
                &self.session,
                scope,
                &mut self.open,
                &mut self.planned,
            )
            .await?;
        }
        if matches!(next, Next::Alone(_)) && !self.kept {
            lock::keep(transaction).await?;
            self.kept = true;
        }
        lock::require(transaction).await?;
        self.session.restore(transaction).await?;
        Ok(next)
    }

    /// Runs one file outside a transaction.
    async fn alone(&mut self, client: &Client, file: &'m MigrationFile) -> Result<()> {
        lock::require(client).await?;
        let history = HistoryTables::find(client, self.migrator.history_schema.as_deref()).await?;
        let applied = history.applied(client).await?;
        let files = self.migrator.files.migrations.as_deref().unwrap_or_default();
        let migrations = MigrationPlan::new(files, &applied)?.refinery(&[])?;
        let mut apply = ApplyAlone::new(file, &self.session);
        let result = executor::run(client, &history.migrations, &migrations, file.version, &mut apply).await;
        let has_run = apply.has_run;
        result.map_err(|error| {
            if !has_run {
                return error;
            }
            error.with_help(format!(
                "{} has run and may not be in the history: make it fit to run again (IF NOT EXISTS, IF EXISTS) or undo \
                 it, and run again",
                file.file.label
            ))
        })?;
        self.committed.migrations.push(Ran {
            file: file.file.label.clone(),
            version: i64::from(file.version),
            reason: None,
            sql: file.file.sql.clone(),
        });
        Ok(())
    }
}
