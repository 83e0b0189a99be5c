//! Roles, memberships, and settings pinned to a role or database.

use serde::{Deserialize, Serialize};

use super::Oid;
use super::fields::Fields;
use super::objects::Named;
use crate::error::Result;

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the attributes as PostgreSQL has them"
)]
pub struct Role {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// SUPERUSER.
    pub superuser: bool,
    /// INHERIT (until PostgreSQL 15 the one switch for all memberships).
    pub inherit: bool,
    /// CREATEROLE.
    pub create_role: bool,
    /// CREATEDB.
    pub create_db: bool,
    /// LOGIN.
    pub login: bool,
    /// REPLICATION.
    pub replication: bool,
    /// BYPASSRLS.
    pub bypass_rls: bool,
}

impl Role {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            oid: fields.take()?,
            name: fields.take()?,
            superuser: fields.take()?,
            inherit: fields.take()?,
            create_role: fields.take()?,
            create_db: fields.take()?,
            login: fields.take()?,
            replication: fields.take()?,
            bypass_rls: fields.take()?,
        })
    }

    /// Whether PostgreSQL made the role (`pg_read_all_data`, …).
    pub fn is_predefined(&self) -> bool {
        self.name.starts_with("pg_")
    }
}

impl Named for Role {
    fn oid(&self) -> Oid {
        self.oid
    }
}

/// `member` was granted `role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The role that was granted.
    pub role: Oid,
    /// The role that it was granted to.
    pub member: Oid,
    /// WITH ADMIN: the member may grant it, to itself too.
    pub admin: bool,
    /// The member has the role's privileges without SET ROLE; `None` before PostgreSQL 16: see [`Role::inherit`].
    pub inherit: Option<bool>,
    /// The member may SET ROLE to it.
    pub set: bool,
}

impl Membership {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            role: fields.take()?,
            member: fields.take()?,
            admin: fields.take()?,
            inherit: fields.take()?,
            set: fields.take()?,
        })
    }
}

/// ALTER ROLE … SET or ALTER DATABASE … SET. Values may be secret, so most are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedSetting {
    /// Whether it holds in this database only.
    pub this_database: bool,
    /// The role, or `None` for every role.
    pub role: Option<Oid>,
    /// The setting's name.
    pub name: String,
    /// Its value, for the tenant setting and the few of PostgreSQL's own that decide who a session is.
    pub value: Option<String>,
}

/// Settings of PostgreSQL's own whose pinned value is kept: they decide who the session is and what names mean.
const SHOWN: [&str; 3] = ["role", "row_security", "search_path"];

impl PinnedSetting {
    pub(super) fn read(fields: &mut Fields<'_, '_>, also_shown: &[String]) -> Result<Self> {
        let database: Oid = fields.take()?;
        let role: Oid = fields.take()?;
        let setting: &str = fields.take()?;
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        // Names of settings are compared without regard to case.
        let is = |shown: &str| shown.eq_ignore_ascii_case(name);
        let shown = SHOWN.iter().any(|shown| is(shown)) || also_shown.iter().any(|shown| is(shown));
        Ok(Self {
            this_database: database != 0,
            role: (role != 0).then_some(role),
            name: name.to_owned(),
            // That a value is empty is no secret.
            value: (shown || value.is_empty()).then(|| value.to_owned()),
        })
    }
}
