//! Columns of relations.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Acl, Oid, Text};
use crate::error::Result;

/// A column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// Its number, from 1; numbers of dropped columns are missing.
    pub number: i16,
    /// Its name.
    pub name: Text,
    /// Its type, a domain as it is.
    pub type_oid: Oid,
    /// The type's modifier (length, precision), or -1.
    pub type_modifier: i32,
    /// The type as SQL, with its modifier: `character varying(20)`.
    pub type_name: Text,
    /// NOT NULL, and known to hold for every row.
    pub not_null: bool,
    /// GENERATED … AS IDENTITY: `a` always, `d` by default.
    pub identity: Option<char>,
    /// GENERATED ALWAYS AS (…): `s` stored, `v` virtual (PostgreSQL 18).
    pub generated: Option<char>,
    /// Its collation, or 0.
    pub collation: Oid,
    /// Whether it was defined here and not merely inherited.
    pub local: bool,
    /// The default's or the generation's expression, as SQL.
    pub default: Option<Text>,
    /// Grants on the column alone.
    pub acl: Acl,
}

impl Column {
    /// The relation's OID and the column.
    pub(super) fn read(
        fields: &mut Fields<'_, '_>,
        acl: impl Fn(&[&str]) -> Result<Acl>,
    ) -> Result<(Oid, Self)> {
        let relation = fields.take()?;
        let flag = |letter: char| (letter != '\0' && letter != ' ').then_some(letter);
        let column = Self {
            number: fields.take()?,
            name: fields.text()?,
            type_oid: fields.take()?,
            type_modifier: fields.take()?,
            type_name: fields.text()?,
            not_null: fields.take()?,
            identity: flag(fields.letter()?),
            generated: flag(fields.letter()?),
            collation: fields.take()?,
            local: fields.take()?,
            default: fields.optional_text()?,
            acl: match fields.take::<Option<Vec<&str>>>()? {
                Some(items) => acl(&items)?,
                None => Acl::default(),
            },
        };
        Ok((relation, column))
    }

    /// Whether an INSERT may give a value for the column.
    pub fn is_insertable(&self) -> bool {
        self.generated.is_none()
    }
}
