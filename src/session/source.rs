//! What is found out about the server and the role before the first tenant is served.

use super::config::{Engine, SessionConfig, Statements};
use super::connection::Source;
use super::core::Shared;
use super::guard::{self, GuardOptions};
use super::pooler;
use crate::error::{Error, Result};

/// Checks the role, and detects what is to be detected, on one connection.
pub(super) async fn examine(source: &(dyn Source + '_), config: SessionConfig) -> Result<Shared> {
    let setting = config.setting()?;
    let lease = source.acquire().await?;
    let client = lease.client();
    match &config.unguarded {
        Some(reason) => tracing::warn!(reason, "the role is not checked for row security"),
        None => guard::check(client, &GuardOptions::new([setting.as_str()])).await?,
    }
    let engine = match config.engine {
        Engine::Detect => detect_engine(client).await?,
        engine => engine,
    };
    let statements = match config.statements {
        Statements::Detect if source.keeps_statements() && pooler::is_direct(client).await? => {
            Statements::Named
        }
        Statements::Detect => Statements::Unnamed,
        statements => statements,
    };
    drop(lease);
    Shared::new(config, engine, statements)
}

async fn detect_engine(client: &tokio_postgres::Client) -> Result<Engine> {
    let sql = "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'citus'";
    let rows = client
        .query_typed(sql, &[])
        .await
        .map_err(|cause| Error::postgres("look for Citus", cause))?;
    Ok(if rows.is_empty() {
        Engine::Postgres
    } else {
        Engine::Citus
    })
}
