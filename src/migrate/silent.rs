//! Row security makes a data migration match no row, without an error. This finds it: a file whose UPDATE, DELETE,
//! MERGE or INSERT … SELECT changed nothing, on or from a table whose rows are hidden from the role that ran it.
//!
//! It does not read the SQL to know what ran: the server's locks show the targets, also of statements inside functions
//! and DO blocks, and its counters show the rows. The text helps only where a table was a target before. Not seen: the
//! part of a table that a statement missed when it changed other rows, and a SECURITY DEFINER function's own role.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Transaction};

use crate::error::{Error, ErrorKind, Result};
use crate::migrate::mentions;
use crate::migrate::migration::{MigrationFile, RLS_AWARE};

/// What the transaction has done to one table so far.
#[derive(Debug, Clone, Default)]
struct Touched {
    name: String,
    plain: String,
    locked: bool,
    /// Made or altered in this transaction.
    fresh: bool,
    inserted: i64,
    changed: i64,
    scans: i64,
    ancestors: Vec<i64>,
    cascades_from: Vec<i64>,
}

/// What the transaction has done to each table so far, by OID.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(BTreeMap<i64, Touched>);

/// Row security of one table towards one role.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, as the server says them"
)]
struct Hidden {
    role: String,
    owner: bool,
    has_rows: bool,
    to_read: bool,
    to_write: bool,
}

/// Whether the server counts rows; where it does not, nothing can be found.
pub(crate) async fn is_counting(client: &impl GenericClient) -> Result<bool> {
    let row = client
        .query_typed_one("select pg_catalog.current_setting('track_counts') = 'on'", &[])
        .await
        .map_err(|cause| Error::postgres("read the setting track_counts", cause))?;
    Ok(row.get(0))
}

impl Activity {
    /// Reads the transaction's own locks and counters.
    pub(crate) async fn read(transaction: &Transaction<'_>) -> Result<Self> {
        let rows = transaction
            .query_typed(include_str!("queries/touched.sql"), &[])
            .await
            .map_err(|cause| Error::postgres("read what the migration has touched", cause))?;
        let touched = rows.iter().map(|row| {
            let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
            let touched = Touched {
                plain: format!("{schema}.{name}"),
                name,
                locked: row.get("locked"),
                fresh: row.get("fresh"),
                inserted: row.get("inserted"),
                changed: row.get("changed"),
                scans: row.get("scans"),
                ancestors: row.get("ancestors"),
                cascades_from: row.get("cascades_from"),
            };
            (row.get("oid"), touched)
        });
        Ok(Self(touched.collect()))
    }

    /// What happened to `oid` and its partitions between `before` and now.
    fn since(&self, before: &Self, oid: i64) -> Touched {
        let mut sum = self.0.get(&oid).cloned().unwrap_or_default();
        (sum.inserted, sum.changed, sum.scans) = (0, 0, 0);
        for (member, now) in &self.0 {
            if *member == oid || now.ancestors.contains(&oid) {
                let then = before.0.get(member).cloned().unwrap_or_default();
                sum.inserted += now.inserted - then.inserted;
                sum.changed += now.changed - then.changed;
                sum.scans += now.scans - then.scans;
            }
        }
        sum
    }

    /// The targets of statements that changed no row, with whether this file is surely the one that locked them.
    fn targets_without_change(&self, before: &Self, sql: &str) -> Vec<(i64, Touched)> {
        let is_target = |oid: &i64| self.0.get(oid).is_some_and(|touched| touched.locked);
        let mut found = Vec::new();
        for (oid, touched) in self.0.iter().filter(|(_, touched)| touched.locked) {
            // A partition is touched through its root; the root's policies count.
            if touched.ancestors.iter().any(is_target) {
                continue;
            }
            let delta = self.since(before, *oid);
            let new = !before.0.get(oid).is_some_and(|touched| touched.locked);
            let said = || delta.scans > 0 && mentions::changes(sql, &delta.name);
            // The foreign key's own UPDATE or DELETE: row security does not apply to it.
            let cascade = || {
                touched
                    .cascades_from
                    .iter()
                    .any(|from| self.since(before, *from).changed > 0)
            };
            if delta.changed == 0 && ((new && delta.inserted == 0 && !cascade()) || said()) {
                found.push((*oid, delta));
            }
        }
        found
    }
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
    let targets = after.targets_without_change(before, sql);
    if file.rls_aware || targets.is_empty() {
        return Ok(None);
    }
    let read: Vec<i64> = after
        .0
        .keys()
        .copied()
        .filter(|oid| after.since(before, *oid).scans > 0)
        .collect();
    let tables: Vec<i64> = targets
        .iter()
        .map(|(oid, _)| *oid)
        .chain(read.iter().copied())
        .collect();
    let hidden = hidden_from(transaction, &tables, &roles_of(transaction, sql).await?).await?;
    let mut warning = None;
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
                    Some((hidden, &after.0.get(source)?.plain))
                });
                let Some((hidden, source)) = source else { continue };
                (
                    hidden,
                    format!("changed no row of {} and read {source}", target.plain),
                )
            }
        };
        let label = &file.file.label;
        let force = if hidden.owner {
            ", although it owns the table (FORCE ROW LEVEL SECURITY)"
        } else {
            ""
        };
        let why = format!("row security hides rows from the role {:?}{force}", hidden.role);
        if hidden.has_rows {
            return Err(Error::new(ErrorKind::Migration, format!("{label} {what}: {why}")).with_help(format!(
                "let the file change data as a role with a policy of its own (set local role …), or bind each tenant \
                 in a loop; where no row is right, say so in the file's first line: -- rls-tool: {RLS_AWARE}"
            )));
        }
        // The file's own new table: nobody can have put rows into it before.
        if !target.fresh || before.0.contains_key(oid) {
            warning = Some(format!(
                "{label} {what}. The table is empty, so nothing was missed here; with rows in it, {why}"
            ));
        }
    }
    Ok(warning)
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
    Ok(roles.into_iter().collect())
}

async fn hidden_from(
    client: &impl GenericClient,
    tables: &[i64],
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
        found.entry(row.get("oid")).or_default().push(Hidden {
            role: row.get("role"),
            owner: row.get("owner"),
            has_rows: row.get("has_rows"),
            to_read: row.get("to_read"),
            to_write: row.get("to_write"),
        });
    }
    Ok(found)
}
