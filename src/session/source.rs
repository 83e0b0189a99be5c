//! What is found out about the server and the role before the first tenant is served.

use super::config::{Engine, SessionConfig, Statements};
use super::connection::Source;
use super::detect;
use super::guard::{self, GuardOptions};
use super::pooler;
use super::shared::Shared;
use crate::error::Result;

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
        Engine::Detect => detect::engine(client).await?,
        engine => engine,
    };
    let form = detect::form(client, engine).await?;
    let statements = match config.statements {
        Statements::Detect => detect::statements(source, client).await?,
        statements => statements,
    };
    let direct = pooler::is_direct(client).await?;
    let types = detect::result_types(client).await?;
    drop(lease);
    Shared::new(config, engine, form, statements, direct, types)
}
