//! What object ids mean: the part of a catalog that an expression tree points into.
//!
//! Filled from a [`Catalog`](crate::catalog::Catalog). PostgreSQL's own objects are not listed: those that are understood
//! are known by their fixed ids, and [`Symbols::redefined`] names the ones that a server has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::catalog::{Text, Volatility};

/// The first object id that `initdb` does not use (`FirstNormalObjectId`): smaller ones are PostgreSQL's own objects.
pub const FIRST_NORMAL_OID: u32 = 16384;

/// The text of a stored expression tree. Cheap to clone; equal trees can share one text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tree(Arc<str>);

impl Tree {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for Tree {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({} bytes)", self.0.len())
    }
}

/// Everything that an expression can refer to by object id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Whether the server wrote constants' bytes in little-endian order. Where not, no constant can be read.
    pub little_endian: bool,
    /// Functions, procedures and aggregates other than PostgreSQL's own.
    pub functions: BTreeMap<u32, Function>,
    /// Operators other than PostgreSQL's own.
    pub operators: BTreeMap<u32, Operator>,
    /// Types other than PostgreSQL's own.
    pub types: BTreeMap<u32, Type>,
    /// Tables and what else has columns.
    pub relations: BTreeMap<u32, Relation>,
    /// Collations other than PostgreSQL's own that are nondeterministic: their `=` is not identity.
    pub nondeterministic_collations: BTreeSet<u32>,
    /// Settings that the server defines, in lower case. A custom setting that is not here is a placeholder, which every
    /// session may set.
    pub parameters: BTreeSet<String>,
    /// PostgreSQL's own functions that are not what a new server has: someone replaced them.
    pub redefined: BTreeSet<u32>,
    /// Functions behind casts other than PostgreSQL's own.
    pub cast_functions: BTreeSet<u32>,
    /// Names of PostgreSQL's own functions, for messages only.
    pub names: BTreeMap<u32, Text>,
}

/// A function (`pg_proc`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// `pronamespace`'s name.
    pub schema: Text,
    /// `proname`
    pub name: Text,
    /// `proowner`
    pub owner: u32,
    /// `prolang`'s name.
    pub language: Text,
    /// `provolatile`
    pub volatility: Volatility,
    /// `proisstrict`
    pub strict: bool,
    /// `prosecdef`
    pub security_definer: bool,
    /// `proretset`
    pub returns_set: bool,
    /// `prorettype`
    pub return_type: u32,
    /// Types of the input arguments.
    pub argument_types: Vec<u32>,
    /// Names of the input arguments; empty where there are none.
    pub argument_names: Vec<String>,
    /// `proconfig`, each as `name=value`.
    pub settings: Vec<String>,
    /// `prosrc`, where it was read.
    pub source: Option<Text>,
    /// `prosqlbody`: the body in SQL-standard form.
    pub body: Option<Tree>,
}

/// An operator (`pg_operator`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `oprnamespace`'s name.
    pub schema: Text,
    /// `oprname`
    pub name: Text,
    /// `oprcode`
    pub function: u32,
}

/// A type (`pg_type`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// `typnamespace`'s name.
    pub schema: Text,
    /// `typname`
    pub name: Text,
    /// What sort of type.
    pub kind: TypeKind,
}

/// What sort of type it is, as far as proofs care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// A domain.
    Domain {
        /// `typbasetype`
        base: u32,
        /// `typtypmod`: the base type's modifier.
        typmod: i32,
        /// Whether values are restricted further (NOT NULL or CHECK).
        constrained: bool,
    },
    /// An enum: the labels by `pg_enum.oid`, which is what a stored value holds.
    Enum(BTreeMap<u32, String>),
    /// An array of another type.
    Array(u32),
    /// Any other: its values are not understood.
    Other,
}

/// A table, or what else has columns (`pg_class`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// `relnamespace`'s name.
    pub schema: Text,
    /// `relname`
    pub name: Text,
    /// `relowner`
    pub owner: u32,
    /// Columns that were not dropped, by number.
    pub columns: Vec<Column>,
    /// Validated CHECK constraints: they hold for every row.
    pub checks: Vec<Check>,
    /// A view's query, as SQL.
    pub view: Option<Text>,
}

impl Relation {
    /// The column with this number.
    pub fn column(&self, attnum: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.attnum == attnum)
    }
}

/// A column (`pg_attribute`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// `attnum`
    pub attnum: i16,
    /// `attname`
    pub name: Text,
    /// `atttypid`
    pub type_id: u32,
    /// `atttypmod`
    pub typmod: i32,
    /// Whether it holds no NULL: `attnotnull` by a validated constraint.
    pub not_null: bool,
    /// Whether its value is generated from other columns (`attgenerated`).
    pub generated: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `conname`
    pub name: Text,
    /// `conbin`
    pub tree: Tree,
}
