//! Types, operators, and nondeterministic collations.

use serde::{Deserialize, Serialize};

use super::constraint::Constraint;
use super::fields::Fields;
use super::objects::Named;
use super::{Oid, Text};
use crate::error::Result;

/// What sort of type it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TypeKind {
    /// A base type, arrays included.
    Base,
    /// An enum with its labels in order.
    Enum(Vec<String>),
    /// A domain over another type.
    Domain {
        /// The type that it is over.
        base: Oid,
        /// That type's modifier, or -1.
        modifier: i32,
    },
    /// A composite type with its attributes' names and types.
    Composite(Vec<(String, Oid)>),
    /// A range over a subtype.
    Range(Oid),
    /// A multirange.
    Multirange,
    /// A pseudo type.
    Pseudo,
}

/// A type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Type {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub schema: Text,
    /// Its name.
    pub name: Text,
    /// What sort of type it is.
    pub kind: TypeKind,
    /// PostgreSQL's category: `S` strings, `N` numbers, `A` arrays, …
    pub category: char,
    /// The element type of an array, or 0.
    pub element: Oid,
    /// The array type over it, or 0.
    pub array: Oid,
    /// Whether a domain is NOT NULL.
    pub not_null: bool,
    /// A domain's default, as SQL.
    pub default: Option<Text>,
    /// Its collation, or 0.
    pub collation: Oid,
    /// An enum's labels as values hold them: `pg_enum.oid`, in the order of the labels.
    pub label_oids: Vec<Oid>,
    /// A domain's CHECK constraints.
    pub checks: Vec<Constraint>,
    /// The extension that it belongs to.
    pub extension: Option<Oid>,
}

impl Type {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        let (oid, schema, name) = (fields.take()?, fields.text()?, fields.text()?);
        let letter = fields.letter()?;
        let category = fields.letter()?;
        let (element, array, base, modifier) =
            (fields.take()?, fields.take()?, fields.take()?, fields.take()?);
        let not_null = fields.take()?;
        let default = fields.optional_text()?;
        let collation = fields.take()?;
        let subtype = fields.take()?;
        let labels: Option<Vec<String>> = fields.take()?;
        let label_oids: Option<Vec<Oid>> = fields.take()?;
        let names: Option<Vec<String>> = fields.take()?;
        let types: Option<Vec<Oid>> = fields.take()?;
        Ok(Self {
            oid,
            schema,
            name,
            kind: match letter {
                'e' => TypeKind::Enum(labels.unwrap_or_default()),
                'd' => TypeKind::Domain { base, modifier },
                'c' => TypeKind::Composite(
                    names
                        .unwrap_or_default()
                        .into_iter()
                        .zip(types.unwrap_or_default())
                        .collect(),
                ),
                'r' => TypeKind::Range(subtype),
                'm' => TypeKind::Multirange,
                'p' => TypeKind::Pseudo,
                _ => TypeKind::Base,
            },
            category,
            element,
            array,
            not_null,
            default,
            collation,
            label_oids: label_oids.unwrap_or_default(),
            checks: Vec::new(),
            extension: fields.take()?,
        })
    }
}

/// An operator that is not PostgreSQL's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operator {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub schema: Text,
    /// Its name.
    pub name: Text,
    /// The left operand's type, or 0.
    pub left: Oid,
    /// The right operand's type.
    pub right: Oid,
    /// The function behind it.
    pub function: Oid,
}

/// A nondeterministic collation: strings that differ may be equal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collation {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub schema: Text,
    /// Its name.
    pub name: Text,
}

impl Named for Type {
    fn oid(&self) -> Oid {
        self.oid
    }
}

impl Named for Operator {
    fn oid(&self) -> Oid {
        self.oid
    }
}

impl Named for Collation {
    fn oid(&self) -> Oid {
        self.oid
    }
}
