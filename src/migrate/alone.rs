//! Runs a file outside a transaction, statement by statement (`CREATE INDEX CONCURRENTLY`, `VACUUM`, …).
//!
//! Such a file is not all or nothing: what its earlier statements did stays when a later one fails, and the file is
//! then not recorded, so that it runs again from its start.

use tokio_postgres::{Client, GenericClient};

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::executor::Apply;
use crate::migrate::failure;
use crate::migrate::lexer::{Token, statements};
use crate::migrate::migration::MigrationFile;
use crate::migrate::session::Session;
use crate::migrate::silent;

/// Runs the one file.
#[derive(Debug)]
pub(crate) struct ApplyAlone<'a> {
    file: &'a MigrationFile,
    session: &'a Session,
    /// All its statements are through.
    pub(crate) has_run: bool,
}

impl Apply<Client> for ApplyAlone<'_> {
    async fn apply(&mut self, client: &Client, sql: &str) -> Result<()> {
        silent::refuse_outside(client, self.file).await?;
        self.session.reset(client, false).await?;
        let broken_before = invalid_indexes(client).await?;
        let result = self.statements(client, sql).await;
        if is_gone(client, &result) {
            return result;
        }
        // Names that the file says, for an index that an earlier attempt has left and IF NOT EXISTS skips.
        let said: Vec<String> = statements(sql)
            .iter()
            .flat_map(|statement| {
                statement
                    .tokens
                    .iter()
                    .filter_map(Token::name)
                    .collect::<Vec<_>>()
            })
            .collect();
        self.session.restore(client).await?;
        let broken: Vec<_> = invalid_indexes(client)
            .await?
            .into_iter()
            .filter(|(schema, name)| {
                !broken_before.contains(&(schema.clone(), name.clone())) || said.contains(name)
            })
            .map(|(schema, name)| format!("{schema}.{name}"))
            .collect();
        if broken.is_empty() {
            self.has_run = result.is_ok();
            return result;
        }
        let label = &self.file.file.label;
        let list = broken.join(", ");
        let error = Error::new(
            ErrorKind::Migration,
            format!("{label} has left an INVALID index: {list}"),
        );
        Err(match result {
            Ok(()) => error,
            Err(cause) => error.caused_by(cause),
        }
        .with_help(format!(
            "an INVALID index serves no query and slows every write: drop index concurrently {list}; then run again"
        )))
    }

    async fn recorded(&mut self, _: &Client) -> Result<()> {
        Ok(())
    }
}

impl<'a> ApplyAlone<'a> {
    pub(crate) fn new(file: &'a MigrationFile, session: &'a Session) -> Self {
        Self {
            file,
            session,
            has_run: false,
        }
    }

    async fn statements(&self, client: &Client, sql: &str) -> Result<()> {
        let file = &self.file.file;
        let all = statements(sql);
        for (index, statement) in all.iter().enumerate() {
            let offset = statement.text.as_ptr() as usize - sql.as_ptr() as usize;
            if let Err(cause) = client.batch_execute(statement.text).await {
                let result = Err(failure::of_file(file, Some(offset), cause));
                let gone = is_gone(client, &result);
                return result.map_err(|error| match (gone, index) {
                    (true, _) => error.with_help(format!(
                        "the statement may have been finished by the server: look, then make {} fit to run again (IF NOT \
                         EXISTS, IF EXISTS) or undo it, and run again",
                        file.label
                    )),
                    (false, 0) => error,
                    (false, done) => error.with_help(format!(
                        "{done} of its {} statements before that one are in effect, and the whole file will run again: \
                         make it fit for that (IF NOT EXISTS, IF EXISTS) or undo them",
                        all.len()
                    )),
                });
            }
        }
        Ok(())
    }
}

/// Whether the connection has ended. The client learns of it a little later than of the server's last words.
fn is_gone(client: &Client, result: &Result<()>) -> bool {
    client.is_closed() || matches!(result, Err(error) if error.kind() == ErrorKind::Closed)
}

/// Indexes that a failed `CREATE INDEX CONCURRENTLY` or `REINDEX CONCURRENTLY` has left.
async fn invalid_indexes(client: &impl GenericClient) -> Result<Vec<(String, String)>> {
    let rows = client
        .query_typed(include_str!("queries/invalid_indexes.sql"), &[])
        .await
        .map_err(|cause| Error::postgres("look for invalid indexes", cause))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
