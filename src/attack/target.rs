//! A door as the probes see it: the relation, what the role may do with its columns, and the rows made for it.

use super::attempt::{Attempt, Sign, State};
use super::rows::{
    Belongs, Form, Literal, PLAIN, Place, Row, Scene, Seed, Shape, Side, TypeShape, Variant, Wish, constant,
    sample,
};
use super::session::Session;
use crate::audit::Command;
use crate::error::Result;

/// What the role may do, by column position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) select: Vec<bool>,
    pub(crate) insert: Vec<bool>,
    pub(crate) update: Vec<bool>,
    /// Whether the door shows the column at all.
    pub(crate) there: Vec<bool>,
}

/// A door that is attacked.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) scene: &'a Scene,
    /// The table, by its place in the scene.
    pub(crate) table: usize,
    pub(crate) session: &'a Session,
    pub(crate) command: Command,
    pub(crate) rights: Rights,
    pub(crate) tenants: [String; 2],
    /// How many rows each side has here, those in inheritance children included.
    pub(crate) counts: [usize; 2],
    /// Rows that have not been made: what an attacker would insert.
    pub(crate) fresh: [Row; 2],
    /// The table's shape under the name of the view that is the door, if one is.
    pub(crate) alias: Option<Shape>,
}

/// One column set to one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) column: usize,
    pub(crate) value: Literal,
}

impl<'a> Target<'a> {
    /// The table's shape, under the name that the door has.
    pub(crate) fn shape(&self) -> &Shape {
        self.alias.as_ref().unwrap_or_else(|| self.base_shape())
    }

    /// The table's shape under its own name: where the rows are looked at from the owner's side.
    pub(crate) fn base_shape(&self) -> &'a Shape {
        &self.scene.shapes[self.table]
    }

    /// A row of a side that nothing refers to, where there is one.
    pub(crate) fn leaf(&self, side: Side) -> Option<(Place, &'a Row)> {
        let asking = side == Side::A && self.scene.asking.contains(&self.table);
        let order = if asking { [0, 1] } else { [1, 0] };
        order.into_iter().find_map(|number| self.made(side, number))
    }

    /// The row of a side that others may refer to.
    pub(crate) fn base(&self, side: Side) -> Option<(Place, &'a Row)> {
        self.made(side, 0)
    }

    /// The row of a side with this number.
    pub(crate) fn made(&self, side: Side, number: usize) -> Option<(Place, &'a Row)> {
        let place = (self.table, side, number);
        self.scene.rows.get(&place).map(|row| (place, row))
    }

    /// Rows of a side: one that nothing refers to, where there is one, and those with other values.
    pub(crate) fn rows(&self, side: Side) -> Vec<(Place, &'a Row)> {
        self.leaf(side).into_iter().chain(self.varied(side)).collect()
    }

    /// Rows of a side with other values in columns that policies and views ask about.
    pub(crate) fn varied(&self, side: Side) -> Vec<(Place, &'a Row)> {
        let numbers = (0..self.variants().len()).map(|number| number + PLAIN);
        numbers.filter_map(|number| self.made(side, number)).collect()
    }

    /// Other values that rows may have, in columns that policies and views ask about.
    pub(crate) fn variants(&self) -> &'a [Variant] {
        &self.scene.variants[self.table]
    }

    /// Rows that have not been made: a plain one, and those with other values.
    pub(crate) fn fresh_rows(&self, side: Side) -> Vec<Row> {
        let plain = &self.fresh[usize::from(side == Side::B)];
        let with = |variant: &Variant| {
            let mut row = plain.clone();
            for (column, value) in variant {
                row.values[*column] = Some(value.clone());
            }
            row
        };
        std::iter::once(plain.clone())
            .chain(self.variants().iter().map(with))
            .collect()
    }

    /// The condition that only `row` satisfies, in columns that the role may read.
    pub(crate) fn condition(&self, row: &Row) -> Result<Option<String>> {
        row.condition(self.shape(), |column| self.rights.select[column])
    }

    /// The columns that the role may read, as a list.
    pub(crate) fn readable(&self) -> String {
        let names: Vec<_> = self
            .shape()
            .columns
            .iter()
            .zip(&self.rights.select)
            .filter(|(_, may)| **may)
            .map(|(column, _)| column.name.to_string())
            .collect();
        names.join(", ")
    }

    /// The query by which the connection's own role looks at a row: every column, so that any change shows.
    pub(crate) fn witness(&self, row: &Row) -> Result<Option<String>> {
        let shape = self.base_shape();
        let Some(condition) = row.condition(shape, |_| true)? else {
            return Ok(None);
        };
        let columns: Vec<_> = shape
            .columns
            .iter()
            .map(|column| column.name.to_string())
            .collect();
        Ok(Some(format!(
            "SELECT {} FROM {} WHERE {condition}",
            columns.join(", "),
            shape.name
        )))
    }

    /// What the row looked like when it was made, as the witness shows it.
    pub(crate) fn looks(row: &Row) -> Vec<Literal> {
        row.values
            .iter()
            .map(|value| value.clone().unwrap_or(None))
            .collect()
    }

    /// The columns that say whose row it is, with a side's values: the tenant column, or those that refer to a parent
    /// of a tenant. Empty for the tenants themselves, whose rows cannot change hands.
    pub(crate) fn ownership(&self, side: Side) -> Vec<Change> {
        let changes = self.owned_by(side);
        if changes.iter().all(|change| self.rights.there[change.column]) {
            changes
        } else {
            Vec::new()
        }
    }

    /// The same, whether the door shows these columns or not.
    pub(crate) fn owned_by(&self, side: Side) -> Vec<Change> {
        match self.scene.belongs[self.table] {
            Belongs::ByColumn(column) => {
                let tenant = self.tenants[usize::from(side == Side::B)].clone();
                vec![Change {
                    column,
                    value: Some(tenant),
                }]
            }
            Belongs::ByParent => parent_of(self.scene, self.table, side),
            Belongs::IsTenant(_) | Belongs::ToNobody => Vec::new(),
        }
    }

    /// The condition that tells rows of other tenants, where a column says whose they are.
    pub(crate) fn foreign_condition(&self, own: Option<&str>) -> Result<Option<String>> {
        let Some(column) = self.scene.belongs[self.table]
            .column()
            .filter(|&c| self.rights.select[c])
        else {
            return Ok(None);
        };
        let name = &self.shape().columns[column].name;
        Ok(Some(match own {
            // NULL is nobody's: rows that the schema declares shared.
            None => format!("{name} IS NOT NULL"),
            Some(tenant) => {
                format!("{name} <> {}", constant(&Some(tenant.to_owned()))?)
            }
        }))
    }

    /// A change to `row`: a column that the role may set, to a value that the row does not have yet.
    pub(crate) fn change(&self, row: &Row) -> Option<Change> {
        let shape = self.shape();
        let owners: Vec<_> = self
            .ownership(Side::A)
            .into_iter()
            .map(|change| change.column)
            .collect();
        let referring = |column| shape.foreign_keys.iter().any(|key| key.columns.contains(&column));
        let checked = |column: usize| shape.checks.iter().any(|check| check.columns.contains(&column));
        let varied = |column: usize| {
            let variants = self.variants().iter().flatten();
            variants.into_iter().any(|&(varied, _)| varied == column)
        };
        let routed = |column| shape.routing.iter().any(|(routed, _)| *routed == column);
        (0..shape.columns.len())
            .filter(|&column| self.rights.update[column])
            .filter(|&column| !shape.columns[column].generated && !shape.columns[column].identity_always)
            .filter(|column| !owners.contains(column))
            .filter_map(|column| {
                Some(Change {
                    column,
                    value: Some(self.other_value(column, row.get(column))?),
                })
            })
            .min_by_key(|change| {
                let column = change.column;
                (
                    shape.is_distinct(column) || routed(column),
                    // A policy asks for its value.
                    varied(column),
                    referring(column),
                    checked(column),
                    !shape.columns[column].ty.is_text(),
                    column,
                )
            })
    }

    /// A value other than `old`. Preferably one that CHECKs accept; one that they refuse says as much about row
    /// security, which PostgreSQL asks first.
    fn other_value(&self, column: usize, old: Option<&str>) -> Option<String> {
        let ty = &self.shape().columns[column].ty;
        let mut seed = Seed::fixed(column as u64);
        let canary = self.scene.canary(Side::A);
        let mut candidates = vec![self.fresh[0].get(column).map(str::to_owned)];
        candidates.extend(match &ty.bottom().form {
            Form::Enum(labels) => labels.iter().cloned().map(Some).collect(),
            // As PostgreSQL prints them: compared with what it printed.
            Form::Base(name) if name == "bool" => vec![Some("t".to_owned()), Some("f".to_owned())],
            _ => [Wish::Plain, Wish::Distinct]
                .map(|wish| Some(sample(ty, wish, canary, &mut seed)))
                .to_vec(),
        });
        let differs = |value: &String| old.is_none_or(|old| different(ty, value, old));
        candidates.into_iter().flatten().find(differs)
    }

    /// `SET a = …, b = …`.
    pub(crate) fn set(&self, changes: &[Change]) -> Result<String> {
        Ok(format!("SET {}", self.assignments(changes)?.join(", ")))
    }

    /// `a = … AND b = …`.
    pub(crate) fn equal(&self, values: &[Change]) -> Result<String> {
        Ok(self.assignments(values)?.join(" AND "))
    }

    fn assignments(&self, changes: &[Change]) -> Result<Vec<String>> {
        let name = |change: &Change| &self.shape().columns[change.column].name;
        changes
            .iter()
            .map(|change| Ok(format!("{} = {}", name(change), constant(&change.value)?)))
            .collect()
    }

    /// An attempt of one statement.
    pub(crate) fn attempt(
        &self,
        state: State,
        what: &'static str,
        statement: String,
        sign: Sign,
    ) -> Result<Attempt> {
        self.session
            .attempt(state, &self.tenants[0], what, statement, sign)
    }
}

/// The foreign key that says whose a row is, where the table has no column that does.
pub(crate) fn owning_key(scene: &Scene, table: usize) -> Option<&super::rows::ForeignKey> {
    let shape = &scene.shapes[table];
    if scene.belongs[table] != Belongs::ByParent {
        return None;
    }
    let mut keys = shape.foreign_keys.iter();
    keys.find(|key| scene.belongs[key.parent] != Belongs::ToNobody && !shape.is_optional(key))
}

/// The columns that refer to a parent of a side, with the values that do.
fn parent_of(scene: &Scene, table: usize, side: Side) -> Vec<Change> {
    let Some(key) = owning_key(scene, table) else {
        return Vec::new();
    };
    let Some(parent) = scene.rows.get(&(key.parent, side, 0)) else {
        return Vec::new();
    };
    key.columns
        .iter()
        .zip(&key.parent_columns)
        .map(|(&column, &of_parent)| Change {
            column,
            value: parent.get(of_parent).map(str::to_owned),
        })
        .collect()
}

/// The condition that all rows of a side satisfy, those too that were not made here.
pub(crate) fn owner_condition(scene: &Scene, table: usize, side: Side) -> Result<Option<String>> {
    let changes = match (scene.belongs[table], scene.rows.get(&(table, side, 0))) {
        (Belongs::ByParent, _) => parent_of(scene, table, side),
        (Belongs::ByColumn(column) | Belongs::IsTenant(column), Some(row)) => vec![Change {
            column,
            value: row.get(column).map(str::to_owned),
        }],
        _ => Vec::new(),
    };
    if changes.is_empty() {
        return Ok(None);
    }
    let equal = |change: &Change| {
        let name = &scene.shapes[table].columns[change.column].name;
        Ok(format!("{name} = {}", constant(&change.value)?))
    };
    let list = changes.iter().map(equal).collect::<Result<Vec<_>>>()?;
    Ok(Some(list.join(" AND ")))
}

/// Whether two values differ, although PostgreSQL may print one of them in another way.
fn different(ty: &TypeShape, value: &str, stored: &str) -> bool {
    if ty.is_time() {
        // Times of day may be printed with or without fraction and zone; days are not.
        return value.get(..10) != stored.get(..10);
    }
    match (value.parse::<f64>(), stored.parse::<f64>()) {
        (Ok(value), Ok(stored)) if ty.is_number() => value.total_cmp(&stored).is_ne(),
        _ => value != stored,
    }
}

impl Attempt {
    /// Looks at the result with this query.
    pub(crate) fn seen_by(mut self, witness: Option<String>) -> Self {
        self.trial.witness = witness.unwrap_or_default();
        self
    }

    /// Needs these rows to be there.
    pub(crate) fn over(mut self, rows: impl IntoIterator<Item = Place>) -> Self {
        self.rows.extend(rows);
        self
    }
}
