//! The scene: the tables, a plan for each, the tenants, and the rows that were made.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Plan, Source};
use super::recipe::Recipe;
use super::row::Row;
use super::seed::Seed;
use super::shape::Shape;
use super::types::TypeShape;
use super::value::{self, Wish};
use super::variants::Variant;

/// Whose row it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    /// The tenant that attacks.
    A,
    /// The tenant that is attacked.
    B,
    /// Nobody: a row of a global table.
    Nobody,
}

/// What a table is to the tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// The rows are the tenants themselves; the column is the tenant's value.
    IsTenant(usize),
    /// By its own column.
    ByColumn(usize),
    /// By its parents alone.
    ByParent,
    /// To nobody.
    ToNobody,
}

impl Belongs {
    /// The column that holds the tenant's value.
    pub(crate) fn column(self) -> Option<usize> {
        match self {
            Self::IsTenant(column) | Self::ByColumn(column) => Some(column),
            Self::ByParent | Self::ToNobody => None,
        }
    }
}

/// A row's place: table, whose, and 0 for the one that others refer to, 1 for one that nothing refers to, from
/// [`PLAIN`] on those with other values.
pub(crate) type Place = (usize, Side, usize);

/// Rows of a side that differ in nothing that matters.
pub(crate) const PLAIN: usize = 3;

/// The tables and the rows made in them.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) shapes: Vec<Shape>,
    pub(crate) belongs: Vec<Belongs>,
    pub(crate) plans: Vec<Plan>,
    /// What other rows hold, by table.
    pub(crate) variants: Vec<Vec<Variant>>,
    pub(crate) seed: Seed,
    /// The mark in each side's text.
    pub(crate) canaries: [String; 2],
    /// Tables of which A's first row is the one that asks: others of A's rows may be other people's.
    pub(crate) asking: BTreeSet<usize>,
    /// How a tenant's value is made where no table holds the tenants.
    pub(crate) tenant_recipe: (TypeShape, Recipe),
    /// The tenants' values; known once the tenants' own rows are, or from the start.
    pub(crate) tenants: [Option<String>; 2],
    pub(crate) rows: BTreeMap<Place, Row>,
    /// Rows of global tables that were there already.
    pub(crate) found: BTreeMap<Place, Row>,
    /// The order in which rows were made.
    pub(crate) made: Vec<Place>,
    /// Why a table has no rows.
    pub(crate) refused: BTreeMap<usize, String>,
    /// Whether a session had to be bound to make rows: the setting is then never "never set" again.
    pub(crate) bound: bool,
}

impl Scene {
    /// The mark of a side's text.
    pub(crate) fn canary(&self, side: Side) -> &str {
        match side {
            Side::A => &self.canaries[0],
            Side::B => &self.canaries[1],
            Side::Nobody => "rlstool",
        }
    }

    /// The place of the row of a table that a row of `side` refers to.
    pub(crate) fn row_for(&self, table: usize, side: Side) -> Option<Place> {
        [(table, side, 0), (table, Side::Nobody, 0)]
            .into_iter()
            .find(|place| self.rows.contains_key(place))
    }

    /// A tenant's value.
    pub(crate) fn tenant(&mut self, side: Side) -> Option<&str> {
        let index = match side {
            Side::A => 0,
            Side::B => 1,
            Side::Nobody => return None,
        };
        if self.tenants[index].is_none() && !self.belongs.iter().any(|b| matches!(b, Belongs::IsTenant(_))) {
            let (ty, recipe) = &self.tenant_recipe;
            self.tenants[index] = recipe.make(ty, &self.canaries[index], &mut self.seed).flatten();
        }
        self.tenants[index].as_deref()
    }

    /// A row with fresh values, not made yet; an error is the reason in words.
    pub(crate) fn fresh(
        &mut self,
        (table, side, number): Place,
        bare: bool,
    ) -> std::result::Result<Row, String> {
        let plan = &self.plans[table];
        let plan = if bare {
            plan.bare(&self.shapes[table])
        } else {
            plan.clone()
        };
        let mut values = Vec::with_capacity(plan.sources.len());
        for (column, source) in plan.sources.iter().enumerate() {
            values.push(match source {
                Source::Tenant => match self.tenant(side) {
                    Some(value) => Some(Some(value.to_owned())),
                    None => return Err("the table that holds the tenants could not be filled".to_owned()),
                },
                Source::Parent { key, position } => Some(self.value_of_parent(table, side, *key, *position)?),
                Source::Make(recipe) => {
                    let canary = self.canary(side).to_owned();
                    recipe.make(&self.shapes[table].columns[column].ty, &canary, &mut self.seed)
                }
            });
        }
        let variant = number.checked_sub(PLAIN);
        for (column, value) in variant
            .and_then(|number| self.variants[table].get(number))
            .into_iter()
            .flatten()
        {
            values[*column] = Some(value.clone());
        }
        Ok(Row { values })
    }

    fn value_of_parent(
        &mut self,
        table: usize,
        side: Side,
        key: usize,
        position: usize,
    ) -> std::result::Result<Option<String>, String> {
        let foreign = &self.shapes[table].foreign_keys[key];
        let parent = foreign.parent;
        let column = foreign.parent_columns[position];
        let own = foreign.columns[position];
        let nobody = (parent, Side::Nobody, 0);
        let row = self
            .rows
            .get(&(parent, side, 0))
            .or_else(|| self.rows.get(&nobody))
            .or_else(|| self.found.get(&nobody));
        if let Some(value) = row.and_then(|row| row.values.get(column).cloned().flatten()) {
            return Ok(value);
        }
        if self.shapes[table].is_nullable(own) {
            return Ok(None);
        }
        if let Some(reason) = self.refused.get(&parent) {
            let name = self.shapes[parent].name.plain();
            return Err(format!(
                "it refers to {name}, which could not be filled: {reason}"
            ));
        }
        // A parent that comes later (a deferred circle), or a value that only PostgreSQL knows: anything will do, and
        // the constraint says so if it does not.
        let canary = self.canary(side).to_owned();
        Ok(Some(value::sample(
            &self.shapes[table].columns[own].ty,
            Wish::Distinct,
            &canary,
            &mut self.seed,
        )))
    }
}
