//! Row security makes a data migration match no row, without an error. This finds it: a file whose UPDATE, DELETE,
//! MERGE or INSERT … SELECT changed nothing, on or from a table whose rows are hidden from the role that ran it.
//!
//! It does not read the SQL to know what ran: the server's locks show the targets, also of statements inside functions
//! and DO blocks, and its counters show the rows. The text helps only where a table was a target before, where the
//! file runs outside a transaction, and to find the owners of SECURITY DEFINER functions, as whom their statements run.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Transaction};

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::activity::Activity;
use crate::migrate::mentions;
use crate::migrate::migration::{MigrationFile, RLS_AWARE};

/// Row security of one table towards one role.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, as the server says them"
)]
struct Hidden {
    /// The table, as `schema.name`, and its name alone.
    table: (String, String),
    role: String,
    owner: bool,
    has_rows: bool,
    to_read: bool,
    to_write: bool,
}

impl Hidden {
    fn why(&self) -> String {
        let force = if self.owner {
            ", although it owns the table (FORCE ROW LEVEL SECURITY)"
        } else {
            ""
        };
        format!("row security hides rows from the role {:?}{force}", self.role)
    }
}

fn way_out() -> String {
    format!(
        "change data as a role with a policy of its own (set local role …), or bind each tenant in a loop, or lift FORCE \
         within the file; where no row is right, say so in the file's first line: -- rls-tool: {RLS_AWARE}"
    )
}

/// Looks at what `file` has done since `before`, while the role it has left is still the current one.
///
/// Gives a warning where the rows that row security would hide do not exist (yet).
///
/// # Errors
///
/// [`ErrorKind::Migration`] where the file changed nothing and rows were hidden from it.
pub(crate) async fn check(
    transaction: &Transaction<'_>,
    file: &MigrationFile,
    before: &Activity,
    after: &Activity,
) -> Result<Option<String>> {
    let sql = &file.file.sql;
    let targets = after.without_change(before, sql);
    let mut changed = after.changed(before, sql);
    if mentions::row_security(sql) {
        changed.clear();
    }
    if file.rls_aware || (targets.is_empty() && changed.is_empty()) {
        return Ok(None);
    }
    let read = after.read_since(before);
    let oids = targets.iter().chain(&changed).map(|(oid, _)| *oid);
    let tables: Vec<i64> = oids.chain(read.iter().copied()).collect();
    let hidden = hidden_from(transaction, Some(&tables), &roles_of(transaction, sql).await?).await?;
    let mut warning = changed.iter().find_map(|(oid, target)| {
        let hidden = hidden.get(oid)?.iter().find(|hidden| !hidden.to_write)?;
        let rows = if target.changed == 1 { "row" } else { "rows" };
        Some(format!(
            "{} changed {} {rows} of {}, and may have missed others: {}",
            file.file.label,
            target.changed,
            target.plain,
            hidden.why()
        ))
    });
    for (oid, target) in &targets {
        let of_target = hidden
            .get(oid)
            .into_iter()
            .flatten()
            .find(|hidden| !hidden.to_write);
        let (hidden, what) = match of_target {
            Some(hidden) => (hidden, format!("changed no row of {}", target.plain)),
            None if target.inserted > 0 => continue,
            None => {
                let source = read.iter().filter(|source| *source != oid).find_map(|source| {
                    let hidden = hidden.get(source)?.iter().find(|hidden| !hidden.to_read)?;
                    Some((hidden, &after.get(*source)?.plain))
                });
                let Some((hidden, source)) = source else { continue };
                (
                    hidden,
                    format!("changed no row of {} and read {source}", target.plain),
                )
            }
        };
        let label = &file.file.label;
        let why = hidden.why();
        if hidden.has_rows {
            return Err(
                Error::new(ErrorKind::Migration, format!("{label} {what}: {why}")).with_help(way_out())
            );
        }
        // The file's own new table: nobody can have put rows into it before.
        if !target.fresh || before.get(*oid).is_some() {
            warning = Some(format!(
                "{label} {what}. The table is empty, so nothing was missed here; with rows in it, {why}"
            ));
        }
    }
    Ok(warning)
}

/// Refuses a file that is to run outside a transaction, where nothing could be taken back, if its text changes a table
/// whose rows are hidden from it. The server keeps neither locks nor counters to look at afterwards.
pub(crate) async fn refuse_outside(client: &impl GenericClient, file: &MigrationFile) -> Result<()> {
    let sql = &file.file.sql;
    if file.rls_aware || mentions::row_security(sql) {
        return Ok(());
    }
    let hidden = hidden_from(client, None, &roles_of(client, sql).await?).await?;
    let missed = hidden
        .values()
        .flatten()
        .find(|hidden| !hidden.to_write && hidden.has_rows && mentions::changes(sql, &hidden.table.1));
    let Some(hidden) = missed else { return Ok(()) };
    let message = format!(
        "{} is to change {} outside a transaction: {}",
        file.file.label,
        hidden.table.0,
        hidden.why()
    );
    Err(Error::new(ErrorKind::Migration, message).with_help(way_out()))
}

/// The roles that may have run the file's statements.
async fn roles_of(client: &impl GenericClient, sql: &str) -> Result<Vec<String>> {
    let mut roles: BTreeSet<String> = mentions::roles(sql);
    if !mentions::runs_as_role(sql) {
        let row = client
            .query_typed_one("select session_user::text, current_user::text", &[])
            .await
            .map_err(|cause| Error::postgres("read the current role", cause))?;
        roles.extend([row.get(0), row.get(1)]);
    }
    let names: Vec<String> = mentions::names(sql).into_iter().collect();
    let owners = client
        .query_typed(
            include_str!("queries/acting_owners.sql"),
            &[(&names, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|cause| Error::postgres("read who owns the views and functions in use", cause))?;
    roles.extend(owners.iter().map(|row| row.get::<_, String>(0)));
    Ok(roles.into_iter().collect())
}

async fn hidden_from(
    client: &impl GenericClient,
    tables: Option<&[i64]>,
    roles: &[String],
) -> Result<BTreeMap<i64, Vec<Hidden>>> {
    let rows = client
        .query_typed(
            include_str!("queries/hidden_from.sql"),
            &[(&tables, Type::INT8_ARRAY), (&roles, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|cause| Error::postgres("read whom row security hides rows from", cause))?;
    let mut found: BTreeMap<i64, Vec<Hidden>> = BTreeMap::new();
    for row in rows {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        found.entry(row.get("oid")).or_default().push(Hidden {
            table: (format!("{schema}.{name}"), name),
            role: row.get("role"),
            owner: row.get("owner"),
            has_rows: row.get("has_rows"),
            to_read: row.get("to_read"),
            to_write: row.get("to_write"),
        });
    }
    Ok(found)
}
