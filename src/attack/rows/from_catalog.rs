//! Shapes from the catalog: the tables that rows are wanted in and everything that those refer to.

use std::collections::BTreeMap;

use super::routing;
use super::shape::{Check, Column, ForeignKey, Shape};
use super::type_shapes::TypeShapes;
use crate::catalog::{Catalog, Constraint, ConstraintKind, Oid, Relation};
use crate::sql::Ident;

/// Shapes, and which table each is.
#[derive(Debug)]
pub(crate) struct Shapes {
    pub(crate) list: Vec<Shape>,
    pub(crate) relations: Vec<Oid>,
    pub(crate) by_oid: BTreeMap<Oid, usize>,
}

impl Shapes {
    /// The shapes of `wanted` and of what they refer to. Partitions stand behind their partitioned table.
    pub(crate) fn read(catalog: &Catalog, wanted: impl IntoIterator<Item = Oid>) -> Self {
        let mut relations: Vec<Oid> = Vec::new();
        let mut by_oid = BTreeMap::new();
        let mut open: Vec<Oid> = wanted.into_iter().collect();
        open.reverse();
        while let Some(oid) = open.pop() {
            let Some(relation) = catalog.relations.get(oid) else {
                continue;
            };
            if by_oid.contains_key(&oid) {
                continue;
            }
            by_oid.insert(oid, relations.len());
            relations.push(oid);
            open.extend(foreign_keys(relation).map(|(_, key)| key.relation));
        }
        let types = TypeShapes::new(catalog);
        let list = relations
            .iter()
            .filter_map(|oid| catalog.relations.get(*oid))
            .map(|relation| shape(catalog, relation, &types, &by_oid))
            .collect();
        Self {
            list,
            relations,
            by_oid,
        }
    }
}

/// The foreign keys that new rows have to satisfy. Those of partitions repeat the partitioned table's.
fn foreign_keys(relation: &Relation) -> impl Iterator<Item = (&Constraint, &crate::catalog::ForeignKey)> {
    relation
        .foreign_keys()
        .filter(|(constraint, _)| constraint.enforced && (constraint.parent == 0 || relation.is_partition))
}

fn shape(
    catalog: &Catalog,
    relation: &Relation,
    types: &TypeShapes<'_>,
    by_oid: &BTreeMap<Oid, usize>,
) -> Shape {
    let place = |number: &i16| {
        relation
            .columns
            .iter()
            .position(|column| column.number == *number)
    };
    let places = |numbers: &[i16]| numbers.iter().filter_map(place).collect::<Vec<_>>();
    let mut keys = Vec::new();
    let mut also_distinct = Vec::new();
    let mut indexes: Vec<_> = relation
        .indexes
        .iter()
        .filter(|index| index.unique || index.exclusion)
        .collect();
    indexes.sort_by_key(|index| !index.primary);
    for index in indexes {
        let columns = places(&index.keys);
        let whole = index.unique && index.predicate.is_none() && columns.len() == index.keys.len();
        if whole && index.valid {
            keys.push(columns);
        } else {
            also_distinct.extend(columns);
        }
    }
    if keys.is_empty() {
        // Nothing has to differ, but the rows have to be told apart.
        also_distinct = (0..relation.columns.len()).collect();
    }
    let foreign_keys = foreign_keys(relation)
        .filter_map(|(constraint, key)| {
            let parent = *by_oid.get(&key.relation)?;
            let referenced = catalog.relations.get(key.relation)?;
            let parent_columns = key
                .columns
                .iter()
                .filter_map(|n| referenced.columns.iter().position(|c| c.number == *n))
                .collect();
            Some(ForeignKey {
                columns: places(&constraint.columns),
                parent,
                parent_columns,
                deferrable: constraint.deferrable,
                follows_delete: key.on_delete.changes_rows(),
                follows_update: key.on_update.changes_rows(),
            })
        })
        .collect();
    let checks = relation
        .constraints
        .iter()
        .filter(|constraint| constraint.enforced)
        .filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Check(expression) => Some(Check {
                columns: places(&constraint.columns),
                expression: expression.to_string(),
            }),
            _ => None,
        })
        .collect();
    Shape {
        name: relation.qualified_name(),
        columns: relation
            .columns
            .iter()
            .filter_map(|column| self::column(column, types))
            .collect(),
        arbiters: arbiters(relation).map(|index| places(&index.keys)).collect(),
        keys,
        also_distinct,
        foreign_keys,
        checks,
        routing: if relation.is_partition {
            routing::within(catalog, relation)
        } else {
            routing::into_partition(catalog, relation)
        },
    }
}

/// Unique indexes that ON CONFLICT can name by their columns: whole, and carrying out no deferrable constraint.
fn arbiters(relation: &Relation) -> impl Iterator<Item = &crate::catalog::Index> {
    let deferrable = |oid| {
        relation
            .constraints
            .iter()
            .any(|c| c.index == oid && c.deferrable)
    };
    relation.indexes.iter().filter(move |index| {
        index.unique
            && index.valid
            && index.predicate.is_none()
            && !index.keys.contains(&0)
            && !deferrable(index.oid)
    })
}

fn column(column: &crate::catalog::Column, types: &TypeShapes<'_>) -> Option<Column> {
    Some(Column {
        name: Ident::new(&*column.name).ok()?,
        ty: types.of_column(column),
        not_null: column.not_null || types.is_not_null(column.type_oid),
        default: column
            .default
            .as_deref()
            .or_else(|| types.default_of(column.type_oid))
            .map(str::to_owned),
        generated: column.generated.is_some(),
        identity: column.identity.is_some(),
        identity_always: column.identity == Some('a'),
    })
}
