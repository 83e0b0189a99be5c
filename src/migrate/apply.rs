//! Runs one migration file inside the run's transaction, and checks that it left everything as a file must.

use tokio_postgres::Transaction;

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::activity::{self, Activity};
use crate::migrate::executor::Apply;
use crate::migrate::failure;
use crate::migrate::migration::MigrationFile;
use crate::migrate::report::{MigrationReport, Ran};
use crate::migrate::session::{self, Session};
use crate::migrate::silent;

/// Runs migration files in order.
#[derive(Debug)]
pub(crate) struct ApplyMigrations<'a> {
    files: std::vec::IntoIter<&'a MigrationFile>,
    session: &'a Session,
    /// Grows with each file, so that a failure can say what had run.
    report: &'a mut MigrationReport,
    /// The transaction's activity after the last file; none where the server does not count rows.
    activity: Option<Activity>,
}

impl<'a> ApplyMigrations<'a> {
    /// Files in the order in which Refinery will run them.
    pub(crate) async fn new(
        transaction: &Transaction<'_>,
        files: Vec<&'a MigrationFile>,
        session: &'a Session,
        report: &'a mut MigrationReport,
    ) -> Result<Self> {
        let activity = if activity::is_counting(transaction).await? {
            Some(Activity::read(transaction).await?)
        } else {
            report.warnings.push(
                "track_counts is off: whether row security hides rows from a data migration was not checked"
                    .to_owned(),
            );
            None
        };
        Ok(Self {
            files: files.into_iter(),
            session,
            report,
            activity,
        })
    }
}

impl<'c> Apply<Transaction<'c>> for ApplyMigrations<'_> {
    async fn apply(&mut self, transaction: &Transaction<'c>, sql: &str) -> Result<()> {
        let file = self
            .files
            .next()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "Refinery ran a file that was not planned"))?;
        let id = session::transaction_id(transaction).await?;
        if let Err(cause) = transaction.batch_execute(sql).await {
            return Err(failure::of_file(&file.file, None, cause));
        }
        session::require_transaction(transaction, &id, &file.file.label).await?;
        if let Some(before) = &self.activity {
            let after = Activity::read(transaction).await?;
            let warning = silent::check(transaction, file, before, &after).await?;
            self.report.warnings.extend(warning);
            self.activity = Some(after);
        }
        self.session.reset(transaction, true).await?;
        self.report.migrations.push(Ran {
            file: file.file.label.clone(),
            version: i64::from(file.version),
            reason: None,
            sql: sql.to_owned(),
        });
        Ok(())
    }

    async fn recorded(&mut self, _: &Transaction<'c>) -> Result<()> {
        Ok(())
    }
}
