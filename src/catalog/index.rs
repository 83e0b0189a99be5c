//! Indexes.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Oid, Text};
use crate::error::Result;

/// An index.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags as PostgreSQL has them"
)]
pub struct Index {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// The access method: `btree`, `gin`, …
    pub method: Text,
    /// UNIQUE.
    pub unique: bool,
    /// NULLS NOT DISTINCT (PostgreSQL 15).
    pub nulls_not_distinct: bool,
    /// Whether it carries out the primary key.
    pub primary: bool,
    /// Whether it carries out an exclusion constraint.
    pub exclusion: bool,
    /// Whether queries may use it.
    pub valid: bool,
    /// Its key columns in order; 0 is an expression.
    pub keys: Vec<i16>,
    /// Columns that are stored in it without being part of the key.
    pub included: Vec<i16>,
    /// The key expressions as SQL, separated by commas.
    pub expressions: Option<Text>,
    /// The predicate of a partial index, as SQL.
    pub predicate: Option<Text>,
}

impl Index {
    /// The relation's OID and the index.
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<(Oid, Self)> {
        let oid = fields.take()?;
        let relation = fields.take()?;
        let (name, method) = (fields.text()?, fields.text()?);
        let (unique, nulls_not_distinct, primary, exclusion, valid) = (
            fields.take()?,
            fields.take()?,
            fields.take()?,
            fields.take()?,
            fields.take()?,
        );
        let mut keys: Vec<i16> = fields.take()?;
        let key_count: i16 = fields.take()?;
        let included = keys.split_off(usize::from(key_count.unsigned_abs()).min(keys.len()));
        let index = Self {
            oid,
            name,
            method,
            unique,
            nulls_not_distinct,
            primary,
            exclusion,
            valid,
            keys,
            included,
            expressions: fields.optional_text()?,
            predicate: fields.optional_text()?,
        };
        Ok((relation, index))
    }
}
