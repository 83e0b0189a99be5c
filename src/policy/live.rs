//! Reads row security of the live tables. Nothing here locks a table against its users.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::policy::state::{PolicyState, TableState};
use crate::sql::{Ident, QualifiedName};

/// A table as it is now.
#[derive(Debug, Clone)]
pub(crate) struct LiveTable {
    pub(crate) oid: i64,
    pub(crate) owner: Ident,
    /// Whether the current role has the owner's rights without `SET ROLE`.
    pub(crate) may_alter: bool,
    pub(crate) state: TableState,
}

/// Row security of all user tables, or of those asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    pub(crate) tables: BTreeMap<QualifiedName, LiveTable>,
}

/// The part of [`TableState`] that the query gives as JSON.
#[derive(Deserialize)]
struct Flags {
    enabled: bool,
    forced: bool,
    policies: BTreeMap<String, PolicyState>,
}

impl Live {
    /// Reads the tables with these OIDs, or all. Leaves `search_path` empty for the rest of the transaction.
    pub(crate) async fn read(transaction: &Transaction<'_>, oids: Option<&[i64]>) -> Result<Self> {
        let failed = |cause| Error::postgres("read the tables' row security", cause);
        transaction
            .batch_execute("set local search_path = ''")
            .await
            .map_err(failed)?;
        let rows = transaction
            .query_typed(include_str!("queries/states.sql"), &[(&oids, Type::INT8_ARRAY)])
            .await
            .map_err(failed)?;
        let mut tables = BTreeMap::new();
        for row in rows {
            let table = QualifiedName::new(row.get::<_, String>("schema"), row.get::<_, String>("name"))?;
            let flags: Flags = serde_json::from_str(row.get("state")).map_err(|cause| {
                Error::new(
                    crate::ErrorKind::Internal,
                    "row security was read in an unknown form",
                )
                .caused_by(cause)
            })?;
            tables.insert(
                table.clone(),
                LiveTable {
                    oid: row.get("oid"),
                    owner: Ident::new(row.get::<_, String>("owner"))?,
                    may_alter: row.get("may_alter"),
                    state: TableState {
                        table,
                        enabled: flags.enabled,
                        forced: flags.forced,
                        policies: flags.policies,
                    },
                },
            );
        }
        Ok(Self { tables })
    }

    /// The tables called `name`, in any schema.
    pub(crate) fn called(&self, name: &str) -> Vec<&QualifiedName> {
        self.tables
            .keys()
            .filter(|table| table.name.as_str() == name)
            .collect()
    }
}

/// The OIDs of a table's partitions and inheritance children, at any depth.
pub(crate) async fn descendants(transaction: &Transaction<'_>, oid: i64) -> Result<Vec<i64>> {
    let rows = transaction
        .query_typed(include_str!("queries/descendants.sql"), &[(&oid, Type::INT8)])
        .await
        .map_err(|cause| Error::postgres("read the table's partitions", cause))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
