//! Which database, and how patiently it is asked.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use rls_tool::ErrorKind;
use rls_tool::connect::ConnectOptions;
use tokio_postgres::Client;

use crate::duration::duration;
use crate::output;

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database: postgres://user:password@host:port/name or "host=… user=… dbname=…".
    /// Default: DATABASE_URL (also from ./.env), then libpq's PGHOST, PGUSER, …
    // Not `env = "DATABASE_URL"`: help would show its value, and with it the password.
    #[arg(long, value_name = "URL", global = true, help_heading = "Connection")]
    pub(crate) database_url: Option<String>,

    /// How long opening a connection may take: 10s, 500ms, 2min; a bare number is milliseconds. Default: 10s.
    #[arg(long, value_name = "TIME", value_parser = duration, global = true, help_heading = "Connection")]
    connect_timeout: Option<Duration>,

    /// Keep trying so long where the server is not up yet, as in CI.
    #[arg(long, value_name = "TIME", value_parser = duration, global = true, help_heading = "Connection")]
    wait: Option<Duration>,
}

impl Database {
    pub(crate) fn options(&self) -> anyhow::Result<ConnectOptions> {
        if let Some(reason) = DOTENV.get() {
            bail!("{reason}");
        }
        let mut options =
            ConnectOptions::resolve(self.database_url.as_deref())?.with_application_name("rls-tool");
        if let Some(limit) = self.connect_timeout {
            options = options.with_connect_timeout(limit);
        }
        Ok(options)
    }

    /// Connects; with --wait, tries again while nobody answers.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        let options = self.options()?;
        output::detail(format_args!("database: {options}"));
        let progress = output::progress(format!("connecting to {options}"));
        let end = self.wait.map(|limit| Instant::now() + limit);
        loop {
            let error = match options.connect().await {
                Ok(client) => return Ok(client),
                Err(error) => error,
            };
            if end.is_none_or(|end| Instant::now() >= end) || !is_not_up_yet(&error) {
                drop(progress);
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// Whether trying again may help: nobody answered, or the server is starting. A refused password stays refused.
fn is_not_up_yet(error: &rls_tool::Error) -> bool {
    match error.sql_state() {
        Some(state) => state.code().starts_with("57P"),
        None => matches!(
            error.kind(),
            ErrorKind::Connect | ErrorKind::Closed | ErrorKind::Timeout
        ),
    }
}

/// Why `.env` could not be read; told when a database is wanted, since other commands need none.
static DOTENV: OnceLock<String> = OnceLock::new();

/// Takes over what `./.env` sets and the environment does not. Before any thread is started.
pub(crate) fn read_dotenv() {
    let path = Path::new(".env");
    if !path.is_file() {
        return;
    }
    if let Err(error) = dotenvy::from_path(path) {
        // The error shows the line, and the line may hold a password.
        let reason = match error {
            dotenvy::Error::Io(error) => error.to_string(),
            _ => "a line is not of the form NAME=value".to_owned(),
        };
        drop(DOTENV.set(format!(
            "failed to read .env: {reason} (--no-dotenv leaves it alone)"
        )));
    }
}
