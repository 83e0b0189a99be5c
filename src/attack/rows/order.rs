//! The order in which tables are filled: parents first. Where foreign keys go in circles, one that may be NULL or
//! deferred is put off.

use std::collections::BTreeSet;

use super::shape::Shape;

/// What `order` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Indexes of the tables, parents first.
    pub(crate) tables: Vec<usize>,
    /// Foreign keys (table, position) whose parent comes later: left NULL, or deferred.
    pub(crate) put_off: BTreeSet<(usize, usize)>,
}

/// Orders the tables.
pub(crate) fn order(shapes: &[Shape]) -> Order {
    let mut left: BTreeSet<usize> = (0..shapes.len()).collect();
    let mut tables = Vec::with_capacity(shapes.len());
    let mut put_off = BTreeSet::new();
    let mut waiting: Vec<usize> = vec![0; shapes.len()];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); shapes.len()];
    for (table, shape) in shapes.iter().enumerate() {
        for (position, key) in shape.foreign_keys.iter().enumerate() {
            if key.parent == table {
                // A row may point at itself, but pointing at nothing is simpler to undo.
                put_off.insert((table, position));
            } else {
                waiting[table] += 1;
                children[key.parent].push(table);
            }
        }
    }
    while !left.is_empty() {
        // By index, so that the order does not depend on anything but the input.
        let mut ready: Vec<usize> = left
            .iter()
            .copied()
            .filter(|&table| waiting[table] == 0)
            .collect();
        if ready.is_empty() {
            ready.push(break_circle(shapes, &left, &mut put_off, &mut waiting));
        }
        for table in ready {
            left.remove(&table);
            tables.push(table);
            for &child in &children[table] {
                // What was put off is not waited for any more.
                waiting[child] = waiting[child].saturating_sub(1);
            }
        }
    }
    Order { tables, put_off }
}

impl Order {
    /// Puts these tables, and what they refer to, in front of all others.
    pub(crate) fn prefer(&mut self, shapes: &[Shape], mut open: Vec<usize>) {
        let mut first = BTreeSet::new();
        while let Some(table) = open.pop() {
            if first.insert(table) {
                open.extend(shapes[table].foreign_keys.iter().map(|key| key.parent));
            }
        }
        // Stable: parents stay in front of their children.
        self.tables.sort_by_key(|table| !first.contains(table));
    }
}

/// Chooses a table of a circle to be filled first: the one with the fewest keys that cannot be put off.
fn break_circle(
    shapes: &[Shape],
    left: &BTreeSet<usize>,
    put_off: &mut BTreeSet<(usize, usize)>,
    waiting: &mut [usize],
) -> usize {
    let open = |table: usize| {
        shapes[table]
            .foreign_keys
            .iter()
            .enumerate()
            .filter(move |(_, key)| key.parent != table && left.contains(&key.parent))
    };
    let firm = |table: usize| {
        open(table)
            .filter(|(_, key)| !shapes[table].is_optional(key) && !key.deferrable)
            .count()
    };
    let table = left
        .iter()
        .copied()
        .min_by_key(|&table| (firm(table), table))
        .unwrap_or_default();
    put_off.extend(open(table).map(|(position, _)| (table, position)));
    waiting[table] = 0;
    table
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Column, ForeignKey};
    use super::super::types::TypeShape;
    use super::*;
    use crate::sql::{Ident, QualifiedName};

    /// Tables with the given foreign keys (parent, nullable).
    fn shapes(keys: &[&[(usize, bool)]]) -> Vec<Shape> {
        let column = |nullable: bool| Column {
            name: Ident::new("c").unwrap(),
            ty: TypeShape::base("int4", "integer"),
            not_null: !nullable,
            default: None,
            generated: false,
            identity: false,
            identity_always: false,
        };
        keys.iter()
            .map(|keys| Shape {
                name: QualifiedName::new("s", "t").unwrap(),
                columns: keys.iter().map(|&(_, nullable)| column(nullable)).collect(),
                keys: Vec::new(),
                arbiters: Vec::new(),
                also_distinct: Vec::new(),
                foreign_keys: keys
                    .iter()
                    .enumerate()
                    .map(|(position, &(parent, _))| ForeignKey {
                        columns: vec![position],
                        parent,
                        parent_columns: vec![0],
                        deferrable: false,
                        follows_delete: false,
                        follows_update: false,
                    })
                    .collect(),
                checks: Vec::new(),
                routing: Vec::new(),
            })
            .collect()
    }

    #[test]
    fn parents_come_first() {
        let order = order(&shapes(&[&[(1, false), (2, false)], &[(2, false)], &[]]));
        assert_eq!(order.tables, [2, 1, 0]);
        assert!(order.put_off.is_empty());
    }

    #[test]
    fn a_circle_is_broken_where_a_key_may_be_null() {
        let order = order(&shapes(&[&[(1, false)], &[(0, true)]]));
        assert_eq!(order.tables, [1, 0]);
        assert_eq!(order.put_off, BTreeSet::from([(1, 0)]));
    }

    #[test]
    fn a_table_that_points_at_itself() {
        let order = order(&shapes(&[&[(0, true)]]));
        assert_eq!(order.tables, [0]);
        assert_eq!(order.put_off, BTreeSet::from([(0, 0)]));
    }

    #[test]
    fn every_table_is_ordered_once_even_in_a_firm_circle() {
        let order = order(&shapes(&[
            &[(1, false)],
            &[(2, false)],
            &[(0, false)],
            &[(0, false)],
        ]));
        let mut sorted = order.tables.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
    }
}
