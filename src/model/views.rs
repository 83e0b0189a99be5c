//! What a view or materialized view reads, directly or through other views, and as whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Oid, Relation, RelationKind};

/// A relation that a view reads, and the role whose row security applies there; `None` is the caller.
pub(crate) type Access = (Oid, Option<Oid>);

fn is_view(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
}

/// Every relation that the view reads in the end, each with the role that reads it.
pub(crate) fn accesses(catalog: &Catalog, view: &Relation) -> BTreeSet<Access> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<Access> = vec![(view.oid, None)];
    while let Some((oid, reader)) = open.pop() {
        if !seen.insert((oid, reader)) {
            continue;
        }
        let Some(relation) = catalog.relations.get(oid) else {
            continue;
        };
        if !is_view(relation) {
            found.insert((oid, reader));
            continue;
        }
        // A security_invoker view (PostgreSQL 15) reads as whoever reads it; all others as their owner. What a
        // materialized view holds was read by its owner.
        let invoker = relation.kind == RelationKind::View && relation.option_is_on("security_invoker");
        let reader = if invoker { reader } else { Some(relation.owner) };
        open.extend(
            relation
                .reads
                .iter()
                .map(|reference| (reference.relation, reader)),
        );
    }
    found
}

/// The tenant-scoped tables that each view and materialized view reads.
pub(super) fn tables_behind_views(
    catalog: &Catalog,
    is_tenant_table: impl Fn(Oid) -> bool,
) -> BTreeMap<Oid, BTreeSet<Oid>> {
    let views = catalog.relations.iter().filter(|relation| is_view(relation));
    views
        .map(|view| {
            let tables = accesses(catalog, view).into_iter().map(|(oid, _)| oid);
            (
                view.oid,
                tables
                    .filter(|&oid| is_tenant_table(oid))
                    .collect::<BTreeSet<_>>(),
            )
        })
        .filter(|(_, tables)| !tables.is_empty())
        .collect()
}
