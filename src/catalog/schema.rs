//! Schemas, sequences, extensions, default privileges, large objects, and grants on PostgreSQL's own relations.

use serde::{Deserialize, Serialize};

use super::objects::Named;
use super::{Acl, Oid, Text};

/// A schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schema {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// Its owner.
    pub owner: Oid,
    /// Grants on it.
    pub acl: Acl,
}

/// A sequence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sequence {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub schema: Text,
    /// Its name.
    pub name: Text,
    /// Its owner.
    pub owner: Oid,
    /// Grants on it.
    pub acl: Acl,
    /// The column that owns it: relation and column number.
    pub owned_by: Option<(Oid, i16)>,
    /// Whether it belongs to an identity column: then INSERT needs no grant on it.
    pub identity: bool,
}

/// An extension.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Extension {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// The schema that it was installed in.
    pub schema: Text,
    /// Its version.
    pub version: String,
    /// Its owner.
    pub owner: Oid,
}

/// ALTER DEFAULT PRIVILEGES.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultPrivileges {
    /// The role whose later objects it concerns.
    pub creator: Oid,
    /// The schema that it concerns; `None` for all.
    pub schema: Option<Text>,
    /// What sort of object: `r` relation, `S` sequence, `f` function, `T` type, `n` schema, `L` large object.
    pub object: char,
    /// What will be granted.
    pub acl: Acl,
}

/// Large objects with the same owner and grants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LargeObjects {
    /// Their owner.
    pub owner: Oid,
    /// Grants on each.
    pub acl: Acl,
    /// How many there are.
    pub count: i64,
}

/// A table or view of `pg_catalog` whose grants were changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SystemGrant {
    /// Its name.
    pub name: Text,
    /// Its owner.
    pub owner: Oid,
    /// Grants on it.
    pub acl: Acl,
}

macro_rules! named {
    ($($kind:ty),*) => {
        $(impl Named for $kind {
            fn oid(&self) -> Oid {
                self.oid
            }
        })*
    };
}

named!(Schema, Sequence, Extension);
