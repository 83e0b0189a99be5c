//! The shape of a relation as far as making a row of it needs to know: a small part of the catalog, with columns by
//! position and tables by index, so that the synthesizer is independent of where it came from.

use super::types::{Form, TypeShape};
use crate::sql::{Ident, QualifiedName};

/// A table that rows are made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) name: QualifiedName,
    pub(crate) columns: Vec<Column>,
    /// Unique keys, by column position; the primary key first.
    pub(crate) keys: Vec<Vec<usize>>,
    /// Those of them that ON CONFLICT can name.
    pub(crate) arbiters: Vec<Vec<usize>>,
    /// Further columns whose values should differ: those of partial or expression indexes and of exclusions.
    pub(crate) also_distinct: Vec<usize>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) checks: Vec<Check>,
    /// Values that route a row into an existing partition, by column position.
    pub(crate) routing: Vec<(usize, Literal)>,
}

/// A value that is given, in PostgreSQL's text form; `None` is NULL.
pub(crate) type Literal = Option<String>;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags as PostgreSQL has them"
)]
pub(crate) struct Column {
    pub(crate) name: Ident,
    pub(crate) ty: TypeShape,
    pub(crate) not_null: bool,
    /// The default's expression.
    pub(crate) default: Option<String>,
    /// GENERATED ALWAYS AS (expression): cannot be given.
    pub(crate) generated: bool,
    /// GENERATED … AS IDENTITY.
    pub(crate) identity: bool,
    /// GENERATED ALWAYS AS IDENTITY: can be given with OVERRIDING SYSTEM VALUE.
    pub(crate) identity_always: bool,
}

/// A foreign key to another table that rows are made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub(crate) columns: Vec<usize>,
    /// Index of the referenced table.
    pub(crate) parent: usize,
    pub(crate) parent_columns: Vec<usize>,
    pub(crate) deferrable: bool,
    /// Whether removing the parent's row changes or removes rows here.
    pub(crate) follows_delete: bool,
    /// The same for changing its key.
    pub(crate) follows_update: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) columns: Vec<usize>,
    /// The expression, columns unqualified.
    pub(crate) expression: String,
}

impl Column {
    /// Whether the column can be left out of an INSERT without becoming NULL.
    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some() || self.identity
    }
}

impl Shape {
    /// Whether a value of the column has to differ from row to row.
    pub(crate) fn is_distinct(&self, column: usize) -> bool {
        self.also_distinct.contains(&column) || self.keys.iter().any(|key| key.contains(&column))
    }

    /// Whether the column's value tells rows apart: made to differ, and of a type that compares exactly.
    pub(crate) fn is_telling(&self, column: usize) -> bool {
        let exact = ["int2", "int4", "int8", "uuid", "text", "varchar", "citext"];
        let form = &self.columns[column].ty.bottom().form;
        self.is_distinct(column) && matches!(form, Form::Base(name) if exact.contains(&name.as_str()))
    }

    /// Whether the column can be left NULL.
    pub(crate) fn is_nullable(&self, column: usize) -> bool {
        !self.columns[column].not_null
    }

    /// The foreign keys that can be left NULL as a whole: with MATCH SIMPLE one NULL column is enough.
    pub(crate) fn is_optional(&self, key: &ForeignKey) -> bool {
        key.columns.iter().any(|&column| self.is_nullable(column))
    }
}
