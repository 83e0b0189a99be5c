//! What a run's transaction has done to each table: the server's own locks and counters.

use std::collections::BTreeMap;

use tokio_postgres::{GenericClient, Transaction};

use crate::error::{Error, Result};
use crate::migrate::mentions;

/// What the transaction has done to one table so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Touched {
    pub(crate) name: String,
    pub(crate) plain: String,
    locked: bool,
    /// Made or altered in this transaction.
    pub(crate) fresh: bool,
    pub(crate) inserted: i64,
    pub(crate) changed: i64,
    scans: i64,
    ancestors: Vec<i64>,
    cascades_from: Vec<i64>,
}

/// What the transaction has done to each table so far, by OID.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(BTreeMap<i64, Touched>);

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

    /// Whether a foreign key's own UPDATE or DELETE may have reached the table: row security does not apply to it.
    fn cascades(&self, before: &Self, touched: &Touched) -> bool {
        let mut from = touched.cascades_from.iter();
        from.any(|from| self.since(before, *from).changed > 0)
    }

    /// What happened to `oid` and its partitions between `before` and now.
    pub(crate) fn since(&self, before: &Self, oid: i64) -> Touched {
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

    /// The targets of UPDATE, DELETE or MERGE that changed a row, with what was done to them.
    pub(crate) fn changed(&self, before: &Self, sql: &str) -> Vec<(i64, Touched)> {
        let roots = self.0.iter().filter(|(_, touched)| {
            let above = &touched.ancestors;
            touched.locked
                && !above
                    .iter()
                    .any(|oid| self.0.get(oid).is_some_and(|above| above.locked))
        });
        roots
            .map(|(oid, _)| (*oid, self.since(before, *oid)))
            .filter(|(_, delta)| delta.changed > 0)
            .filter(|(_, delta)| !self.cascades(before, delta) || mentions::changes(sql, &delta.name))
            .collect()
    }

    /// The tables that were read.
    pub(crate) fn read_since(&self, before: &Self) -> Vec<i64> {
        let tables = self.0.keys().copied();
        tables.filter(|oid| self.since(before, *oid).scans > 0).collect()
    }

    /// The table, if it was touched.
    pub(crate) fn get(&self, oid: i64) -> Option<&Touched> {
        self.0.get(&oid)
    }

    /// The targets of statements that changed no row.
    pub(crate) fn without_change(&self, before: &Self, sql: &str) -> Vec<(i64, Touched)> {
        let is_target = |oid: &i64| self.0.get(oid).is_some_and(|touched| touched.locked);
        let mut found = Vec::new();
        for (oid, touched) in self.0.iter().filter(|(_, touched)| touched.locked) {
            // A partition is touched through its root; the root's policies count.
            if touched.ancestors.iter().any(is_target) {
                continue;
            }
            let delta = self.since(before, *oid);
            let new = !before.0.get(oid).is_some_and(|touched| touched.locked);
            // A table without a policy for the role is not even scanned.
            let said = || {
                mentions::changes_itself(sql, &delta.name)
                    || (delta.scans > 0 && mentions::changes(sql, &delta.name))
            };
            if delta.changed == 0
                && ((new && delta.inserted == 0 && !self.cascades(before, touched)) || said())
            {
                found.push((*oid, delta));
            }
        }
        found
    }
}
