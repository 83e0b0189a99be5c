//! What stands at the other end: Citus, a pooler in transaction mode, or plain PostgreSQL.
//!
//! Named statements need a server that stays the same, or a pooler that follows them (PgBouncer from 1.21 on, which
//! renames them). A pooler that does neither answers with errors, or with another program's statement; so what is in
//! doubt, and can be told, travels unnamed.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::binding::Form;
use super::config::{Engine, Statements};
use super::connection::{Lease, Source};
use super::in_order::queue;
use super::pooler;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::sql::QualifiedName;

/// Looks for Citus.
pub(super) async fn engine(client: &Client) -> Result<Engine> {
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

/// How settings are to be written.
///
/// Before PostgreSQL 18 pg_stat_statements keeps the text of each SET, so that every tenant would have an entry, where it
/// folds the constants of a SELECT into one.
pub(super) async fn form(client: &Client, engine: Engine) -> Result<Form> {
    if engine == Engine::Citus {
        return Ok(Form::Citus);
    }
    let failed = |cause| Error::postgres("ask how statements are tracked", cause);
    let rows = client
        .query_typed(include_str!("tracked.sql"), &[])
        .await
        .map_err(failed)?;
    let tracked = match rows.first() {
        Some(row) => row.try_get(0).map_err(failed)?,
        None => true,
    };
    Ok(if tracked { Form::SetConfig } else { Form::SetLocal })
}

/// Whether named statements can be relied on.
pub(super) async fn statements(source: &(dyn Source + '_), client: &Client) -> Result<Statements> {
    if !source.keeps_statements() {
        return Ok(Statements::Unnamed);
    }
    if pooler::is_direct(client).await? || is_followed(client).await? {
        return Ok(Statements::Named);
    }
    tracing::info!("a pooler stands before the server: statements travel unnamed");
    Ok(Statements::Unnamed)
}

/// Whether a pooler gives prepared statements names of its own: then it knows them on every server connection.
async fn is_followed(client: &Client) -> Result<bool> {
    const PROBE: &str = "SELECT 'rls-tool looks for a pooler'";
    let failed = |cause| Error::postgres("look for a pooler", cause);
    // In a transaction, so that both statements meet the same server connection.
    let open = Rollback(client);
    client.batch_execute("BEGIN READ ONLY").await.map_err(failed)?;
    let looked = async {
        let _statement = client.prepare(PROBE).await?;
        let sql = "SELECT name FROM pg_catalog.pg_prepared_statements WHERE statement = $1";
        client.query_typed(sql, &[(&PROBE, Type::TEXT)]).await
    }
    .await;
    drop(open);
    // Where not even this worked, a leftover of another program was in the way (42P05): a pooler that does not follow.
    let Ok(rows) = looked else { return Ok(false) };
    Ok(rows.iter().any(|row| {
        let name: &str = row.get(0);
        let number = name.strip_prefix('s');
        !number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    }))
}

/// A query whose result has one column of each type that only this database knows; None where there is none.
///
/// The driver asks for an unknown type of a result while the result is coming in, and where the rows already fill its
/// buffer, answer and rows wait for each other for ever (`query_typed` of tokio-postgres 0.7). So each connection asks
/// for the types before.
pub(super) async fn result_types(client: &Client) -> Result<Option<String>> {
    let failed = |cause| Error::postgres("ask for the database's types", cause);
    let rows = client
        .query_typed(include_str!("result_types.sql"), &[])
        .await
        .map_err(failed)?;
    let mut columns = Vec::with_capacity(rows.len());
    for row in rows {
        let schema: String = row.try_get(0).map_err(failed)?;
        let name: String = row.try_get(1).map_err(failed)?;
        columns.push(format!("NULL::{}", QualifiedName::new(schema, name)?));
    }
    Ok((!columns.is_empty()).then(|| format!("SELECT {}", columns.join(","))))
}

/// Makes the driver learn the types of this connection's results, the first time that it is used.
///
/// Where that fails, because a type was dropped since, say, the driver asks when it meets one.
pub(super) async fn learn_types(lease: &Lease<'_>, shared: &Shared) {
    let Some(sql) = shared.types() else { return };
    let learned = if shared.statements == Statements::Unnamed {
        let Some(connection) = pooler::announced(lease.client()).await else {
            return;
        };
        if !shared.is_new(connection) {
            return;
        }
        learn_apart(lease.client(), sql, shared.direct).await
    } else {
        // Kept with the connection's statements, so that there is nothing to do the next time.
        lease.prepare(sql).await.map(drop)
    };
    if let Err(cause) = learned {
        tracing::debug!(error = %cause, "the types of results were not learned");
        if cause.as_db_error().is_some() {
            shared.forget_types();
        }
    }
}

/// Behind a pooler the driver's named statements must find the server connection that they were made on, and must not
/// stay there.
async fn learn_apart(
    client: &Client,
    sql: &str,
    direct: bool,
) -> std::result::Result<(), tokio_postgres::Error> {
    let open = Rollback(client);
    client.batch_execute("BEGIN READ ONLY").await?;
    if !direct {
        client.batch_execute("DEALLOCATE ALL").await?;
    }
    let prepared = client.prepare(sql).await;
    if !direct {
        client.batch_execute("DEALLOCATE ALL").await?;
    }
    drop(open);
    prepared.map(drop)
}

/// Ends the probe's transaction, also where the probe is dropped half-way: the client may be the caller's.
struct Rollback<'c>(&'c Client);

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        queue(self.0.batch_execute("ROLLBACK"));
    }
}
