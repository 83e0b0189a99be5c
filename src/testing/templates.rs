//! Template databases: what one test's migrations made, copied for every further test that wants the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::names;
use super::server::{Server, today};
use crate::error::{Error, Result};
use crate::sql::{Ident, Literal};

/// The templates that this process knows, by what is in them.
#[derive(Debug, Default)]
pub(super) struct Templates(Mutex<HashMap<String, Arc<OnceCell<Template>>>>);

/// A template database.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// What is in it.
    pub(super) content: String,
    pub(super) name: String,
    /// Statements for what `CREATE DATABASE … TEMPLATE` leaves behind: settings and grants of the database itself.
    properties: Vec<String>,
}

/// Stands for the copy's name in those statements; it needs no quotes.
const COPY: &str = "rls_test_copy_of_template";

impl Template {
    /// The statements for this copy.
    pub(super) fn properties_of(&self, copy: &Ident) -> impl Iterator<Item = String> {
        let name = copy.to_string();
        self.properties
            .iter()
            .map(move |statement| statement.replace(COPY, &name))
    }
}

impl Templates {
    /// The name of the template with this content; `fill` makes it where it is not there yet, on a copy of `base`.
    pub(super) async fn get<F>(
        &self,
        server: &Server,
        owner: &str,
        base: Option<&str>,
        content: &str,
        fill: F,
    ) -> Result<Template>
    where
        F: AsyncFnOnce(&mut Client) -> Result<()>,
    {
        let cell = Arc::clone(self.0.lock().await.entry(content.to_owned()).or_default());
        let template = cell
            .get_or_try_init(async || {
                let name = build(server, owner, base, content, fill).await?;
                Ok::<_, Error>(Template {
                    properties: properties(server, &name).await?,
                    content: content.to_owned(),
                    name,
                })
            })
            .await?;
        Ok(template.clone())
    }
}

async fn build<F>(server: &Server, owner: &str, base: Option<&str>, content: &str, fill: F) -> Result<String>
where
    F: AsyncFnOnce(&mut Client) -> Result<()>,
{
    let name = names::template(today(), content);
    let admin = server.admin.connect().await?;
    if server.is_shared() {
        // Held until `admin` is closed: another process may be making the same.
        let sql = format!(
            "SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtext({}))",
            Literal::new(&name)?
        );
        admin
            .batch_execute(&sql)
            .await
            .map_err(|cause| Error::postgres("wait for the template database", cause))?;
        if count(
            &admin,
            "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = $1",
            &name,
        )
        .await?
            > 0
        {
            return Ok(name);
        }
    }
    let unfinished = format!("{name}_new");
    let drop = names::drop_database(&Ident::new(&unfinished)?);
    server
        .keeper
        .run("drop an unfinished template", std::slice::from_ref(&drop))
        .await?;
    let create = names::create_database(
        &Ident::new(&unfinished)?,
        &Ident::new(owner)?,
        &Ident::new(base.unwrap_or(names::EMPTY))?,
    );
    server.keeper.run("create a template database", &[create]).await?;
    // A database with a connection cannot serve as a template: the client is closed in there.
    if let Err(error) = filled(server, owner, &unfinished, fill).await {
        // The error that matters is the first one.
        std::mem::drop(server.keeper.run("drop an unfinished template", &[drop]).await);
        return Err(error);
    }
    let sql = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
    while count(&admin, sql, &unfinished).await? > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rename = format!(
        "ALTER DATABASE {} RENAME TO {}",
        Ident::new(&unfinished)?,
        Ident::new(&name)?
    );
    server
        .keeper
        .run("finish the template database", &[rename])
        .await?;
    Ok(name)
}

async fn filled<F>(server: &Server, owner: &str, database: &str, fill: F) -> Result<()>
where
    F: AsyncFnOnce(&mut Client) -> Result<()>,
{
    let mut client = server.options_as(owner).with_database(database).connect().await?;
    fill(&mut client).await
}

async fn count(client: &Client, sql: &str, name: &str) -> Result<i64> {
    let failed = |cause| Error::postgres("look at the databases", cause);
    let row = client
        .query_typed_one(sql, &[(&name, Type::TEXT)])
        .await
        .map_err(failed)?;
    row.try_get(0).map_err(failed)
}

async fn properties(server: &Server, template: &str) -> Result<Vec<String>> {
    let admin = server.admin.connect().await?;
    let failed = |cause| Error::postgres("read the template database's settings", cause);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&template, Type::TEXT), (&COPY, Type::TEXT)];
    let rows = admin
        .query_typed(include_str!("properties.sql"), &parameters)
        .await
        .map_err(failed)?;
    rows.iter().map(|row| row.try_get(0).map_err(failed)).collect()
}
