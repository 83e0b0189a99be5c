//! The one entry: says where the files are and how far to go, then runs or reports.

use std::time::Duration;

use tokio_postgres::{Client, IsolationLevel};

use crate::error::{Error, Result};
use crate::migrate::history::HistoryTables;
use crate::migrate::report::MigrationReport;
use crate::migrate::run::Run;
use crate::migrate::source::{Files, Source};
use crate::migrate::status::Status;

/// How long to wait for a lock on a table unless told otherwise.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for another run unless told otherwise: it may be building a large index.
const WAIT_FOR_RUN: Duration = Duration::from_mins(10);

/// Applies migrations, then policies, to a database.
///
/// One run is one transaction: it applies every file or none. Files that must run outside a transaction divide it, and
/// then each part is applied as a whole. Runs that start at the same time wait for one another.
///
/// ```no_run
/// # async fn example(client: &mut tokio_postgres::Client) -> rls_tool::Result<()> {
/// use rls_tool::migrate::{Migrator, Source};
///
/// let source = Source::Folders { migrations: Some("migrations".into()), policies: Some("policies".into()) };
/// let report = Migrator::new(source)?.run(client).await?;
/// for ran in &report.migrations {
///     println!("{}", ran.file);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Migrator {
    source: Source,
    pub(crate) files: Files,
    pub(crate) target: Option<i64>,
    pub(crate) dry_run: bool,
    pub(crate) history_schema: Option<String>,
    pub(crate) lock_timeout: Duration,
    pub(crate) wait_for_run: Duration,
}

impl Migrator {
    /// Reads and checks all files of `source`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) or [`Io`](crate::ErrorKind::Io) for a folder or file that is
    /// missing, misnamed, doubly numbered, not UTF-8, or holds what cannot be run in one transaction.
    pub fn new(source: Source) -> Result<Self> {
        Ok(Self {
            files: source.load()?,
            source,
            target: None,
            dry_run: false,
            history_schema: None,
            lock_timeout: LOCK_TIMEOUT,
            wait_for_run: WAIT_FOR_RUN,
        })
    }

    /// The reference schema that is built into this library.
    ///
    /// # Errors
    ///
    /// None that depend on the database; see [`new`](Self::new).
    pub fn reference() -> Result<Self> {
        Self::new(Source::Reference)
    }

    /// Migrates up to this version only. Policies are then applied to the tables that exist at that version.
    pub fn target(mut self, version: impl Into<Option<i64>>) -> Self {
        self.target = version.into();
        self
    }

    /// Runs everything and rolls it back. Files that must run outside a transaction are left out.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// The schema of the history tables. Without this they are found, or made, through `search_path`.
    pub fn history_schema(mut self, schema: impl Into<Option<String>>) -> Self {
        self.history_schema = schema.into();
        self
    }

    /// How long to wait for a lock on a table (10 seconds unless set here) and for another run to end (10 minutes);
    /// zero is without limit.
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.lock_timeout = limit;
        self.wait_for_run = limit;
        self
    }

    /// Where the files are.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Applies what is pending.
    ///
    /// The client's own settings (`SET`, `SET ROLE`) hold for each file, and are as before when the run has ended. Custom
    /// ones (`app.current_tenant`) are reset instead: PostgreSQL does not list them, and no file may run bound to a tenant
    /// by accident.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Migration`](crate::ErrorKind::Migration) and others, naming the file and what is in effect. The
    /// error has a [`MigrationReport`] attached with what was committed
    /// ([`Error::attached`](crate::Error::attached)); running again goes on from there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future rolls the open transaction back; what was committed before a file that runs outside a
    /// transaction stays. After that use another client: this one may keep the lock of the run.
    pub async fn run(&self, client: &mut Client) -> Result<MigrationReport> {
        Run::new(self, client).await?.finish(client).await
    }

    /// How files, history and the live policies compare. Changes nothing, and takes no lock that a session of the
    /// application would wait for.
    ///
    /// # Errors
    ///
    /// Connection and permission; a history that does not fit the files is no error here but in the [`Status`].
    pub async fn status(&self, client: &mut Client) -> Result<Status> {
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(|cause| Error::postgres("begin a transaction", cause))?;
        let history = HistoryTables::find(&transaction, self.history_schema.as_deref()).await?;
        let status = Status::read(&transaction, &self.files, &history).await?;
        // Read only: nothing to commit.
        transaction
            .rollback()
            .await
            .map_err(|cause| Error::postgres("end the transaction", cause))?;
        Ok(status)
    }
}
