//! The state of the connection that files run on: remembered before the first, put back after each.
//!
//! A file may `SET LOCAL ROLE`, empty `search_path` as pg_dump does, or bind a tenant. None of that may reach the next
//! file or the recording of history.

use std::fmt::Write as _;
use std::time::Duration;

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Ident, Literal};

/// What to put back.
#[derive(Debug)]
pub(crate) struct Session {
    session_user: Ident,
    /// `SET ROLE` of the caller, if there was one.
    role: Option<Ident>,
    /// Settings that the caller had changed with `SET`.
    settings: Vec<(String, String)>,
    lock_timeout: Duration,
}

impl Session {
    /// Remembers the connection's state.
    pub(crate) async fn remember(client: &impl GenericClient, lock_timeout: Duration) -> Result<Self> {
        let failed = |cause| Error::postgres("read the session's settings", cause);
        let who = client
            .query_typed_one(
                "select session_user::text, pg_catalog.current_setting('role')",
                &[],
            )
            .await
            .map_err(failed)?;
        let role: String = who.get(1);
        let rows = client
            .query_typed(include_str!("queries/session_settings.sql"), &[])
            .await
            .map_err(failed)?;
        Ok(Self {
            session_user: Ident::new(who.get::<_, String>(0))?,
            role: if role == "none" {
                None
            } else {
                Some(Ident::new(role)?)
            },
            settings: rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
            lock_timeout,
        })
    }

    /// Puts everything back and sets this run's time limits for what follows: no waiting for a lock beyond the limit,
    /// no limit on the statements themselves. Inside a transaction the limits end with it.
    pub(crate) async fn reset(&self, client: &impl GenericClient, in_transaction: bool) -> Result<()> {
        self.restore(client).await?;
        let lock_timeout = self.lock_timeout.as_millis().min(i32::MAX as u128).to_string();
        client
            .query_typed(
                include_str!("queries/limits.sql"),
                &[(&lock_timeout, Type::TEXT), (&in_transaction, Type::BOOL)],
            )
            .await
            .map_err(|cause| Error::postgres("set the run's time limits", cause))?;
        Ok(())
    }

    /// Puts everything back.
    pub(crate) async fn restore(&self, client: &impl GenericClient) -> Result<()> {
        let failed = |cause| Error::postgres("put the session's settings back", cause);
        let mut sql = String::new();
        let who = client
            .query_typed_one("select session_user::text", &[])
            .await
            .map_err(failed)?;
        if who.get::<_, String>(0) != self.session_user.as_str() {
            let _ = write!(sql, "set session authorization {}; ", self.session_user);
        }
        let _ = match &self.role {
            Some(role) => write!(sql, "set role {role}; "),
            None => write!(sql, "set role none; "),
        };
        sql.push_str("reset all; ");
        for (name, value) in &self.settings {
            let (name, value) = (Literal::new(name)?, Literal::new(value)?);
            let _ = write!(sql, "select pg_catalog.set_config({name}, {value}, false); ");
        }
        client.batch_execute(&sql).await.map_err(failed)
    }
}

/// The identity of the current transaction.
pub(crate) async fn transaction_id(client: &impl GenericClient) -> Result<String> {
    let row = client
        .query_typed_one("select pg_catalog.pg_current_xact_id()::text", &[])
        .await
        .map_err(|cause| Error::postgres("read the transaction's id", cause))?;
    Ok(row.get(0))
}

/// Whether the transaction is still the one it was.
///
/// # Errors
///
/// It is not: the file has ended it, in a way that reading the file had not shown.
pub(crate) async fn require_transaction(client: &impl GenericClient, id: &str, label: &str) -> Result<()> {
    if transaction_id(client).await? == id {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Migration,
        format!("{label} has ended the run's transaction: what stood before that point may be committed, and is not recorded"),
    )
    .with_help("take the COMMIT or ROLLBACK out of the file, undo by hand what it did, and run again"))
}
