//! Ways by which rows leave or enter the database: foreign servers, publications; and event triggers.

use serde::{Deserialize, Serialize};

use super::objects::Named;
use super::{Acl, Oid, Text};

/// A foreign server. Its options are left out: they may hold secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForeignServer {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// The foreign-data wrapper's name.
    pub wrapper: Text,
    /// Its owner.
    pub owner: Oid,
    /// Grants on it.
    pub acl: Acl,
    /// Roles with a user mapping; [`PUBLIC`](super::PUBLIC) for everybody.
    pub mapped_roles: Vec<Oid>,
}

impl Named for ForeignServer {
    fn oid(&self) -> Oid {
        self.oid
    }
}

/// A publication.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Publication {
    /// Its name.
    pub name: Text,
    /// Its owner.
    pub owner: Oid,
    /// FOR ALL TABLES.
    pub all_tables: bool,
    /// The tables that it sends.
    pub tables: Vec<Oid>,
    /// Those of them that have a row filter.
    pub filtered: Vec<Oid>,
}

/// An event trigger.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventTrigger {
    /// Its name.
    pub name: Text,
    /// The event.
    pub event: Text,
    /// Its owner.
    pub owner: Oid,
    /// Its function.
    pub function: Oid,
    /// Whether it fires.
    pub enabled: bool,
}
