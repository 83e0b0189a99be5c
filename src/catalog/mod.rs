//! The catalog: everything that isolation can depend on, read from one database into plain structs.
//!
//! [`Catalog::load`] runs a constant number of queries (`queries/*.sql`) on a transaction that the caller opened; the
//! result can be saved as JSON and audited offline. It holds facts only: what they mean is `model`'s and `checks`'.
//! Objects refer to each other by OID; OIDs are never shown and never part of a fingerprint.

mod acl;
mod assemble;
mod builtins;
mod column;
mod constraint;
mod fields;
mod function;
mod index;
mod load;
mod objects;
mod policy;
mod privileges;
mod relation;
mod role;
mod routing;
mod schema;
mod server;
mod small;
mod types;

pub use acl::{Acl, AclItem, PUBLIC, Privilege, Privileges};
pub use builtins::{BuiltinFunction, Builtins};
pub use column::Column;
pub use constraint::{Constraint, ConstraintKind, ForeignKey, ForeignKeyAction};
pub use function::{Function, FunctionKind, Volatility};
pub use index::Index;
pub use load::LoadOptions;
pub use objects::{Named, Objects};
pub use policy::{Policy, PolicyCommand};
pub use privileges::Actor;
pub use relation::{Reference, Relation, RelationKind, Rule, Trigger};
pub use role::{Membership, PinnedSetting, Role};
pub use routing::{EventTrigger, ForeignServer, Publication};
pub use schema::{DefaultPrivileges, Extension, LargeObjects, Schema, Sequence, SystemGrant};
pub use server::Server;
pub use types::{Collation, Operator, Type, TypeKind};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An object identifier: joins objects of one snapshot, means nothing elsewhere.
pub type Oid = u32;

/// Text that repeats many times in a catalog (schema and type names, expressions): stored once, shared.
pub type Text = Arc<str>;

/// A snapshot of one database's catalog. Every list is sorted by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Catalog {
    /// The version of this structure, for saved catalogs.
    pub format: u32,
    /// The server, the database, and who read the catalog.
    pub server: Server,
    /// PostgreSQL's own functions and settings.
    pub builtins: Builtins,
    /// Schemas, PostgreSQL's own included.
    pub schemas: Objects<Schema>,
    /// Every role of the cluster.
    pub roles: Objects<Role>,
    /// Who is a member of what.
    pub memberships: Vec<Membership>,
    /// Settings pinned to a role or to the database.
    pub settings: Vec<PinnedSetting>,
    /// Tables, views, materialized views and foreign tables, with all that belongs to one of them.
    pub relations: Objects<Relation>,
    /// Functions and procedures that are not PostgreSQL's own, and those of PostgreSQL that were granted anew.
    pub functions: Objects<Function>,
    /// Types, PostgreSQL's own included; row types of tables are left out.
    pub types: Objects<Type>,
    /// Operators that are not PostgreSQL's own.
    pub operators: Objects<Operator>,
    /// Nondeterministic collations.
    pub collations: Objects<Collation>,
    /// Sequences.
    pub sequences: Objects<Sequence>,
    /// Extensions.
    pub extensions: Objects<Extension>,
    /// Foreign servers.
    pub foreign_servers: Objects<ForeignServer>,
    /// Publications.
    pub publications: Vec<Publication>,
    /// Event triggers.
    pub event_triggers: Vec<EventTrigger>,
    /// What objects made later will be granted.
    pub default_privileges: Vec<DefaultPrivileges>,
    /// Large objects by owner and grants.
    pub large_objects: Vec<LargeObjects>,
    /// PostgreSQL's own tables and views that were granted anew.
    pub system_grants: Vec<SystemGrant>,
    /// What the reading role could not see, in words.
    pub unseen: Vec<String>,
}

impl Catalog {
    /// The version of the saved form.
    pub const FORMAT: u32 = 1;

    /// The catalog as it is saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it cannot be written as JSON, which no catalog that was loaded is.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|cause| {
            Error::new(crate::ErrorKind::Internal, "failed to write the catalog as JSON").caused_by(cause)
        })
    }

    /// A saved catalog; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where the text is none, or was saved by a version whose form is another.
    pub fn from_json(text: &str, name: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|cause| Error::input(format!("{name} is no saved catalog")).caused_by(cause))?;
        if head.format != Self::FORMAT {
            let message = format!(
                "{name} was saved in form {}, this version reads form {}",
                head.format,
                Self::FORMAT
            );
            return Err(Error::input(message).with_help("save the catalog again with --save-catalog"));
        }
        serde_json::from_str(text)
            .map_err(|cause| Error::input(format!("{name} is a damaged catalog")).caused_by(cause))
    }
}
