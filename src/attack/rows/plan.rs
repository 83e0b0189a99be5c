//! Where each column of a table gets its value from, decided once per table and used for every row of it.

use std::collections::BTreeSet;

use super::recipe::Recipe;
use super::shape::Shape;
use super::solve::Choice;
use super::value::Wish;

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The tenant's own value.
    Tenant,
    /// The parent's row: the foreign key, and the place in it.
    Parent { key: usize, position: usize },
    /// Made.
    Make(Recipe),
}

/// A source for every column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<Source>,
}

/// Plans a table before any CHECK is considered. `tenant` is its tenant column, `put_off` its foreign keys that
/// have no parent row yet when it is filled.
pub(crate) fn plan(shape: &Shape, tenant: Option<usize>, put_off: &BTreeSet<usize>) -> Plan {
    let sources = (0..shape.columns.len())
        .map(|column| {
            if tenant == Some(column) && !refers_alone(shape, column, put_off) {
                return Source::Tenant;
            }
            if let Some((_, literal)) = shape.routing.iter().find(|(routed, _)| *routed == column) {
                return Source::Make(Recipe::Given(literal.clone()));
            }
            if let Some(source) = from_parent(shape, column, put_off) {
                return source;
            }
            Source::Make(made(shape, column))
        })
        .collect();
    Plan { sources }
}

/// Whether the column by itself refers to a parent: the tenant's value is then whatever that row has.
fn refers_alone(shape: &Shape, column: usize, put_off: &BTreeSet<usize>) -> bool {
    shape
        .foreign_keys
        .iter()
        .enumerate()
        .any(|(key, foreign)| foreign.columns == [column] && !put_off.contains(&key))
}

fn from_parent(shape: &Shape, column: usize, put_off: &BTreeSet<usize>) -> Option<Source> {
    let (key, foreign) = shape
        .foreign_keys
        .iter()
        .enumerate()
        // A parent that is there already is better than one that comes later.
        .filter(|(_, foreign)| foreign.columns.contains(&column))
        .min_by_key(|(key, _)| (put_off.contains(key), *key))?;
    if put_off.contains(&key) && shape.is_nullable(column) {
        return Some(Source::Make(Recipe::Given(None)));
    }
    let position = foreign.columns.iter().position(|&own| own == column)?;
    Some(Source::Parent { key, position })
}

fn made(shape: &Shape, index: usize) -> Recipe {
    let column = &shape.columns[index];
    if column.generated {
        Recipe::Default
    } else if shape.is_distinct(index) {
        // Also where there is a default: a value of our own keeps sequences where they are, and is known beforehand.
        Recipe::Sample(Wish::Distinct)
    } else if column.has_default() {
        Recipe::Default
    } else if column.not_null || column.ty.is_text() {
        Recipe::Sample(Wish::Plain)
    } else {
        Recipe::Given(None)
    }
}

impl Plan {
    /// Takes over what satisfies a group of CHECKs. The tenant's column stays the tenant's.
    pub(crate) fn settle(&mut self, chosen: &[(usize, Choice)]) {
        for (column, choice) in chosen {
            let source = &mut self.sources[*column];
            match choice {
                Choice::Make(recipe) if *source != Source::Tenant => *source = Source::Make(recipe.clone()),
                _ => {}
            }
        }
    }

    /// The same with everything NULL or by default that can be: what is left when a richer row is refused.
    pub(crate) fn bare(&self, shape: &Shape) -> Self {
        let sources = self.sources.iter().enumerate().map(|(index, source)| {
            let column = &shape.columns[index];
            match source {
                Source::Make(Recipe::Sample(_)) if !shape.is_distinct(index) && column.has_default() => {
                    Source::Make(Recipe::Default)
                }
                Source::Make(Recipe::Sample(Wish::Plain)) | Source::Parent { .. } if !column.not_null => {
                    Source::Make(Recipe::Given(None))
                }
                source => source.clone(),
            }
        });
        Self {
            sources: sources.collect(),
        }
    }

    /// Columns that take their value from a parent.
    pub(crate) fn parents(&self) -> Vec<usize> {
        let is_parent = |source: &Source| matches!(source, Source::Parent { .. });
        (0..self.sources.len())
            .filter(|&column| is_parent(&self.sources[column]))
            .collect()
    }
}
