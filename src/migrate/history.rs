//! Refinery's history tables: where they are, and their rows.
//!
//! Refinery puts the table's name into its SQL unquoted and leaves the schema to `search_path`, which a migration may
//! change; here the name is always quoted and qualified. The migrations' table is Refinery's own
//! (`refinery_schema_history`), so that a project can move from Refinery and back. The policies' table has one more
//! column, for what the file produced.

use std::fmt;

use refinery_core::{Migration, SchemaVersion};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};

use crate::error::{Error, ErrorKind, Result};
use crate::policy::{PolicyFile, TableState};
use crate::sql::QualifiedName;

/// Refinery's default name.
pub(crate) const MIGRATIONS: &str = "refinery_schema_history";
/// The policies' own history, in the same schema.
pub(crate) const POLICIES: &str = "rls_tool_policy_history";

/// A history table, existing or to be made.
#[derive(Debug, Clone)]
pub(crate) struct HistoryTable {
    pub(crate) name: QualifiedName,
    pub(crate) exists: bool,
    /// What its rows have beyond Refinery's columns.
    pub(crate) extra_column: Option<&'static str>,
}

/// Both history tables.
#[derive(Debug, Clone)]
pub(crate) struct HistoryTables {
    pub(crate) migrations: HistoryTable,
    pub(crate) policies: HistoryTable,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) version: SchemaVersion,
    pub(crate) name: String,
    /// RFC 3339, as Refinery wrote it.
    pub(crate) applied_on: String,
    pub(crate) checksum: u64,
}

/// One row of the policies' history.
#[derive(Debug, Clone)]
pub(crate) struct AppliedPolicy {
    pub(crate) row: Applied,
    /// What the tables were right after the file had run.
    pub(crate) states: Option<Vec<TableState>>,
}

impl HistoryTable {
    /// The row as Refinery has it.
    pub(crate) fn refinery(&self, applied: &Applied) -> Result<Migration> {
        let applied_on = OffsetDateTime::parse(&applied.applied_on, &Rfc3339).map_err(|cause| {
            self.unreadable(format!(
                "version {} has a time that is not RFC 3339",
                applied.version
            ))
            .caused_by(cause)
        })?;
        Ok(Migration::applied(
            applied.version,
            applied.name.clone(),
            applied_on,
            applied.checksum,
        ))
    }
}

impl AppliedPolicy {
    /// Whether the file is another one than was applied.
    pub(crate) fn differs_from(&self, file: &PolicyFile) -> Result<bool> {
        // A row without states cannot show drift: as good as never applied.
        Ok(self.states.is_none() || file.refinery(self.row.version)?.checksum() != self.row.checksum)
    }

    /// The tables that the file made something of.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &QualifiedName> {
        self.states.iter().flatten().map(|state| &state.table)
    }
}

impl HistoryTables {
    /// Finds the tables, in `schema` where one is given, else through `search_path`.
    ///
    /// # Errors
    ///
    /// A history that `search_path` does not show: going on would apply everything a second time.
    pub(crate) async fn find(client: &impl GenericClient, schema: Option<&str>) -> Result<Self> {
        let found = find(client, MIGRATIONS, schema).await?;
        let policies = find(client, POLICIES, schema).await?;
        let schema = match (schema, found.as_deref().or(policies.as_deref())) {
            (Some(schema), _) | (None, Some(schema)) => schema.to_owned(),
            (None, None) => default_schema(client).await?,
        };
        Ok(Self {
            migrations: HistoryTable {
                name: QualifiedName::new(&schema, MIGRATIONS)?,
                exists: found.is_some(),
                extra_column: None,
            },
            policies: HistoryTable {
                exists: policies.as_deref() == Some(schema.as_str()),
                name: QualifiedName::new(schema, POLICIES)?,
                extra_column: Some("state jsonb"),
            },
        })
    }

    /// The applied migrations, by version.
    pub(crate) async fn applied(&self, client: &impl GenericClient) -> Result<Vec<Applied>> {
        let rows = self
            .migrations
            .rows(client, "version::int8, name, applied_on, checksum")
            .await?;
        rows.iter().map(|row| self.migrations.read(row)).collect()
    }

    /// The applied policies, by version.
    pub(crate) async fn applied_policies(&self, client: &impl GenericClient) -> Result<Vec<AppliedPolicy>> {
        let columns = "version::int8, name, applied_on, checksum, state::text";
        let rows = self.policies.rows(client, columns).await?;
        rows.iter()
            .map(|row| {
                let states = row
                    .get::<_, Option<String>>(4)
                    .map(|text| serde_json::from_str(&text));
                Ok(AppliedPolicy {
                    row: self.policies.read(row)?,
                    states: states.transpose().map_err(|cause| {
                        self.policies
                            .unreadable("its column state is not what rls-tool wrote")
                            .caused_by(cause)
                    })?,
                })
            })
            .collect()
    }
}

impl HistoryTable {
    async fn rows(&self, client: &impl GenericClient, columns: &str) -> Result<Vec<Row>> {
        if !self.exists {
            return Ok(Vec::new());
        }
        let sql = format!("select {columns} from {} order by version", self.name);
        client.query_typed(&sql, &[]).await.map_err(|cause| {
            Error::postgres(format!("read the history {}", self.name.plain()), cause)
                .with_help("run it as the role that has migrated this database before")
        })
    }

    /// A row of version, name, applied_on and checksum.
    pub(crate) fn read(&self, row: &Row) -> Result<Applied> {
        let text = |index: usize| {
            row.get::<_, Option<String>>(index)
                .ok_or_else(|| self.unreadable("it has a NULL where Refinery writes none"))
        };
        let version = row.get::<_, i64>(0);
        Ok(Applied {
            version: SchemaVersion::try_from(version)
                .map_err(|_| self.unreadable(format!("version {version} is too large")))?,
            name: text(1)?,
            applied_on: text(2)?,
            checksum: text(3)?
                .parse()
                .map_err(|_| self.unreadable(format!("the checksum of version {version} is no number")))?,
        })
    }

    pub(crate) fn unreadable(&self, why: impl fmt::Display) -> Error {
        Error::new(
            ErrorKind::Migration,
            format!("the history {} was changed by hand: {why}", self.name.plain()),
        )
    }
}

async fn find(client: &impl GenericClient, name: &str, schema: Option<&str>) -> Result<Option<String>> {
    let rows = client
        .query_typed(
            include_str!("queries/find_history.sql"),
            &[(&name, Type::TEXT), (&schema, Type::TEXT)],
        )
        .await
        .map_err(|cause| Error::postgres("look for the migration history", cause))?;
    let found: Vec<(String, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    match found.as_slice() {
        [] => Ok(None),
        [(only, _)] if schema.is_some() => Ok(Some(only.clone())),
        [(first, true), ..] => Ok(Some(first.clone())),
        others => {
            let list: Vec<_> = others.iter().map(|(schema, _)| schema.as_str()).collect();
            Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "there is a history {name} in schema {}, which is not on this role's search_path",
                    list.join(", ")
                ),
            )
            .with_help(format!(
                "--history-schema {} goes on with it; another schema's name there begins a history of its own",
                list[0]
            )))
        }
    }
}

async fn default_schema(client: &impl GenericClient) -> Result<String> {
    let row = client
        .query_typed_one("select pg_catalog.current_schema()::text", &[])
        .await
        .map_err(|cause| Error::postgres("look for a schema for the migration history", cause))?;
    row.get::<_, Option<String>>(0).ok_or_else(|| {
        Error::new(
            ErrorKind::Migration,
            "there is no schema for the migration history: search_path names none that exists",
        )
        .with_help("--history-schema names one")
    })
}
