//! The server and the database, and the role that read the catalog.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Acl, Oid};
use crate::error::Result;

/// The server, the database, and who read the catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Server {
    /// PostgreSQL's version as one number: 150018 is 15.18.
    pub version: i32,
    /// The database's name.
    pub database: String,
    /// The database's owner.
    pub owner: Oid,
    /// Grants on the database.
    pub acl: Acl,
    /// The role whose privileges read the catalog.
    pub reader: String,
    /// The role that logged in.
    pub login: String,
    /// Whether the reader is a superuser.
    pub reader_is_superuser: bool,
    /// Whether the reader bypasses row security.
    pub reader_bypasses_rls: bool,
    /// `wal_level`: `logical` lets a role with REPLICATION read every change by SQL.
    pub wal_level: String,
    /// `row_security`: `off` makes queries fail where a policy would apply.
    pub row_security: String,
}

impl Server {
    /// The major version: 15 of 15.18.
    pub fn major(&self) -> i32 {
        self.version / 10_000
    }

    pub(super) fn read(fields: &mut Fields<'_, '_>, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<Self> {
        Ok(Self {
            version: fields.take()?,
            database: fields.take()?,
            owner: fields.take()?,
            acl: acl(&fields.take::<Vec<&str>>()?)?,
            reader: fields.take()?,
            login: fields.take()?,
            reader_is_superuser: fields.take()?,
            reader_bypasses_rls: fields.take()?,
            wal_level: fields.take()?,
            row_security: fields.take()?,
        })
    }
}
