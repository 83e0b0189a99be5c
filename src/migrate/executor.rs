//! Refinery's driver over a connection that is already where it should be: inside the run's one transaction, or
//! outside any for a file that needs that. Refinery decides what to run and writes the history; what running a file
//! means is an [`Apply`].

use std::fmt;
use std::future::Future;

use refinery_core::error::Kind;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner, SchemaVersion, Target};
use tokio_postgres::GenericClient;

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::history::HistoryTable;

/// What running a file means. Files come in Refinery's order.
pub(crate) trait Apply<C>: Send {
    /// Runs the next file, whose text is `sql`, and everything that belongs around it.
    fn apply(&mut self, client: &C, sql: &str) -> impl Future<Output = Result<()>> + Send;

    /// The next file's row is in the history.
    fn recorded(&mut self, client: &C) -> impl Future<Output = Result<()>> + Send;
}

/// Runs Refinery over `migrations` up to `target`, on `client` as it is.
pub(crate) async fn run<C, A>(
    client: &C,
    history: &HistoryTable,
    migrations: &[Migration],
    target: SchemaVersion,
    apply: &mut A,
) -> Result<()>
where
    C: GenericClient + Sync,
    A: Apply<C>,
{
    let mut runner = Runner::new(migrations).set_target(Target::Version(target));
    runner.set_migration_table_name(history.name.to_string());
    let mut executor = Executor {
        client,
        history,
        apply,
        failure: None,
    };
    let result = runner.run_async(&mut executor).await;
    let failure = executor.failure.take();
    result
        .map(drop)
        .map_err(|cause| failure.unwrap_or_else(|| refused(cause)))
}

/// Refinery's own refusals. The plan has compared files and history before, so they are the second line.
fn refused(cause: refinery_core::Error) -> Error {
    let help = match cause.kind() {
        Kind::DivergentVersion(..) => {
            "put the file back as it was applied; what is to change goes into a new file"
        }
        Kind::MissingVersion(_) => "the files must be those that were applied, with new ones behind them",
        Kind::RepeatedVersion(_) => "give the newer file the next free number",
        _ => "run `rls-tool migrate status`",
    };
    Error::new(ErrorKind::Migration, "Refinery refused the files")
        .caused_by(cause)
        .with_help(help)
}

struct Executor<'a, C, A> {
    client: &'a C,
    history: &'a HistoryTable,
    apply: &'a mut A,
    /// The real error: Refinery's wraps a copy that cannot be taken out again.
    failure: Option<Error>,
}

/// Stands for [`Executor::failure`] on the way through Refinery.
#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a migration failed")
    }
}

impl std::error::Error for Failed {}

impl<C, A> Executor<'_, C, A>
where
    C: GenericClient + Sync,
    A: Apply<C>,
{
    async fn one(&mut self, sql: &[&str]) -> Result<()> {
        let written = |cause| {
            Error::postgres(format!("write the history {}", self.history.name.plain()), cause).with_help(
                "the role that migrates needs CREATE on that schema and must own the history tables: give it a schema \
                 (create schema authorization …), or name another with --history-schema",
            )
        };
        match sql {
            // CREATE TABLE IF NOT EXISTS asks for CREATE on the schema even when the table exists.
            [_] if self.history.exists => Ok(()),
            [create] => {
                self.client.batch_execute(create).await.map_err(written)?;
                let Some(column) = self.history.extra_column else {
                    return Ok(());
                };
                let sql = format!("alter table {} add column {column}", self.history.name);
                self.client.batch_execute(&sql).await.map_err(written)
            }
            [file, insert] => {
                self.apply.apply(self.client, file).await?;
                self.client.batch_execute(insert).await.map_err(written)?;
                self.apply.recorded(self.client).await
            }
            _ => Err(Error::new(
                ErrorKind::Internal,
                "Refinery asked for something unknown",
            )),
        }
    }

    async fn applied(&mut self, sql: &str) -> Result<Vec<Migration>> {
        let rows = self.client.query_typed(sql, &[]).await.map_err(|cause| {
            Error::postgres(format!("read the history {}", self.history.name.plain()), cause)
        })?;
        rows.iter()
            .map(|row| self.history.refinery(&self.history.read(row)?))
            .collect()
    }
}

impl<C, A> AsyncTransaction for Executor<'_, C, A>
where
    C: GenericClient + Sync,
    A: Apply<C>,
{
    type Error = Failed;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Failed> {
        let sql: Vec<&str> = queries.collect();
        match self.one(&sql).await {
            Ok(()) => Ok(sql.len()),
            Err(error) => {
                self.failure = Some(error);
                Err(Failed)
            }
        }
    }
}

impl<C, A> AsyncQuery<Vec<Migration>> for Executor<'_, C, A>
where
    C: GenericClient + Sync,
    A: Apply<C>,
{
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, Failed> {
        match self.applied(query).await {
            Ok(applied) => Ok(applied),
            Err(error) => {
                self.failure = Some(error);
                Err(Failed)
            }
        }
    }
}

impl<C, A> AsyncMigrate for Executor<'_, C, A>
where
    C: GenericClient + Sync,
    A: Apply<C>,
{
    fn get_applied_migrations_query(table: &str) -> String {
        // As bigint, so that a history made by either kind of Refinery reads alike.
        format!("select version::int8, name, applied_on, checksum from {table} order by version")
    }
}
