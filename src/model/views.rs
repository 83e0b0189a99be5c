//! Which tenant-scoped tables a view or materialized view reads, directly or through other views.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Oid, RelationKind};

/// The tenant-scoped tables that each view and materialized view reads.
pub(super) fn tables_behind_views(
    catalog: &Catalog,
    is_tenant_table: impl Fn(Oid) -> bool,
) -> BTreeMap<Oid, BTreeSet<Oid>> {
    let is_view = |oid| {
        catalog.relations.get(oid).is_some_and(|relation| {
            matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
        })
    };
    let mut behind = BTreeMap::new();
    for view in catalog.relations.iter().filter(|relation| is_view(relation.oid)) {
        let (mut tables, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![view.oid]);
        while let Some(oid) = open.pop() {
            if !seen.insert(oid) {
                continue;
            }
            if is_tenant_table(oid) {
                tables.insert(oid);
            }
            if is_view(oid) {
                let reads = catalog.relations.get(oid).map(|relation| &relation.reads);
                open.extend(reads.into_iter().flatten().map(|reference| reference.relation));
            }
        }
        if !tables.is_empty() {
            behind.insert(view.oid, tables);
        }
    }
    behind
}
