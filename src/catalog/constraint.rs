//! Constraints of tables and domains.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Oid, Text};
use crate::error::Result;

/// What happens to referencing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignKeyAction {
    /// NO ACTION.
    NoAction,
    /// RESTRICT.
    Restrict,
    /// CASCADE.
    Cascade,
    /// SET NULL.
    SetNull,
    /// SET DEFAULT.
    SetDefault,
}

impl ForeignKeyAction {
    fn from_letter(letter: char) -> Self {
        match letter {
            'r' => Self::Restrict,
            'c' => Self::Cascade,
            'n' => Self::SetNull,
            'd' => Self::SetDefault,
            _ => Self::NoAction,
        }
    }

    /// Whether rows of the referencing table change.
    pub fn changes_rows(self) -> bool {
        matches!(self, Self::Cascade | Self::SetNull | Self::SetDefault)
    }
}

/// What a foreign key refers to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The referenced relation.
    pub relation: Oid,
    /// Its columns, each beside the one of [`Constraint::columns`] at the same place.
    pub columns: Vec<i16>,
    /// ON UPDATE.
    pub on_update: ForeignKeyAction,
    /// ON DELETE.
    pub on_delete: ForeignKeyAction,
    /// MATCH FULL.
    pub match_full: bool,
    /// The columns that ON DELETE SET NULL or SET DEFAULT sets, if not all (PostgreSQL 15).
    pub delete_sets: Vec<i16>,
}

/// What a constraint demands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConstraintKind {
    /// CHECK, as SQL.
    Check(Text),
    /// PRIMARY KEY.
    PrimaryKey,
    /// UNIQUE.
    Unique,
    /// EXCLUDE, the whole definition as SQL.
    Exclusion(Text),
    /// FOREIGN KEY.
    ForeignKey(ForeignKey),
}

/// A constraint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags as PostgreSQL has them"
)]
pub struct Constraint {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// Its columns in the constraint's order; empty for a domain's.
    pub columns: Vec<i16>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Whether rows that were there before it are known to satisfy it.
    pub validated: bool,
    /// Whether it is enforced (NOT ENFORCED exists since PostgreSQL 18).
    pub enforced: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub deferred: bool,
    /// The index that carries it out, or 0.
    pub index: Oid,
    /// The constraint of the partitioned table that it is a part of, or 0.
    pub parent: Oid,
    /// Whether inheritance children are left out (NO INHERIT).
    pub not_inherited: bool,
    /// A CHECK's expression, as PostgreSQL stores it.
    pub tree: Option<Text>,
}

/// Where a constraint belongs.
pub(super) enum Owner {
    Relation(Oid),
    Domain(Oid),
}

/// What one row of constraints.sql says.
pub(super) enum Loaded {
    Constraint(Owner, Constraint),
    /// A NOT NULL that rows may violate: the relation and the column.
    UnvalidatedNotNull(Oid, i16),
}

impl Constraint {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Loaded> {
        let oid = fields.take()?;
        let (relation, domain): (Oid, Oid) = (fields.take()?, fields.take()?);
        let name = fields.text()?;
        let letter = fields.letter()?;
        let (validated, enforced, deferrable, deferred): (bool, bool, bool, bool) =
            (fields.take()?, fields.take()?, fields.take()?, fields.take()?);
        let (parent, index): (Oid, Oid) = (fields.take()?, fields.take()?);
        let columns = fields.take::<Option<Vec<i16>>>()?.unwrap_or_default();
        let target = fields.take()?;
        let target_columns: Option<Vec<i16>> = fields.take()?;
        let (on_update, on_delete, match_type) = (fields.letter()?, fields.letter()?, fields.letter()?);
        let delete_sets: Option<Vec<i16>> = fields.take()?;
        let definition = fields.optional_text()?;
        let (not_inherited, tree) = (fields.take()?, fields.optional_text()?);
        let kind = match letter {
            'n' => {
                let column = columns.first().copied().unwrap_or_default();
                return Ok(Loaded::UnvalidatedNotNull(relation, column));
            }
            'p' => ConstraintKind::PrimaryKey,
            'u' => ConstraintKind::Unique,
            'x' => ConstraintKind::Exclusion(definition.unwrap_or_default()),
            'f' => ConstraintKind::ForeignKey(ForeignKey {
                relation: target,
                columns: target_columns.unwrap_or_default(),
                on_update: ForeignKeyAction::from_letter(on_update),
                on_delete: ForeignKeyAction::from_letter(on_delete),
                match_full: match_type == 'f',
                delete_sets: delete_sets.unwrap_or_default(),
            }),
            _ => ConstraintKind::Check(definition.unwrap_or_default()),
        };
        let owner = if relation == 0 {
            Owner::Domain(domain)
        } else {
            Owner::Relation(relation)
        };
        Ok(Loaded::Constraint(
            owner,
            Self {
                oid,
                name,
                columns,
                kind,
                validated,
                enforced,
                deferrable,
                deferred,
                index,
                parent,
                not_inherited,
                tree,
            },
        ))
    }

    /// The foreign key, if it is one.
    pub fn foreign_key(&self) -> Option<&ForeignKey> {
        match &self.kind {
            ConstraintKind::ForeignKey(key) => Some(key),
            _ => None,
        }
    }
}
