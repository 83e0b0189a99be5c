//! Row-security policies.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::relation::Reference;
use super::{Oid, PUBLIC, Text};
use crate::error::Result;

/// The command that a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PolicyCommand {
    /// Every command.
    All,
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

/// A policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// The command that it is for.
    pub command: PolicyCommand,
    /// PERMISSIVE (any of them lets a row through) or RESTRICTIVE (all of them must).
    pub permissive: bool,
    /// The roles that it is for; [`PUBLIC`] for all.
    pub roles: Vec<Oid>,
    /// USING, as SQL.
    pub using: Option<Text>,
    /// WITH CHECK, as SQL.
    pub check: Option<Text>,
    /// USING, as PostgreSQL stores it (`pg_node_tree`).
    pub using_tree: Option<Text>,
    /// WITH CHECK, as PostgreSQL stores it.
    pub check_tree: Option<Text>,
    /// Other relations that the expressions read.
    pub reads: Vec<Reference>,
    /// Functions, not PostgreSQL's own, that the expressions call.
    pub calls: Vec<Oid>,
}

impl Policy {
    /// The relation's OID and the policy.
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<(Oid, Self)> {
        let oid = fields.take()?;
        let relation = fields.take()?;
        let policy = Self {
            oid,
            name: fields.text()?,
            command: match fields.letter()? {
                'r' => PolicyCommand::Select,
                'a' => PolicyCommand::Insert,
                'w' => PolicyCommand::Update,
                'd' => PolicyCommand::Delete,
                _ => PolicyCommand::All,
            },
            permissive: fields.take()?,
            roles: fields.take()?,
            using: fields.optional_text()?,
            check: fields.optional_text()?,
            using_tree: fields.optional_text()?,
            check_tree: fields.optional_text()?,
            reads: Vec::new(),
            calls: Vec::new(),
        };
        Ok((relation, policy))
    }

    /// Whether the policy is for everybody.
    pub fn is_public(&self) -> bool {
        self.roles.contains(&PUBLIC)
    }

    /// Whether the policy takes part in `command` (as PolicyCommand; `All` asks for every one).
    pub fn is_for(&self, command: PolicyCommand) -> bool {
        self.command == PolicyCommand::All || self.command == command
    }

    /// The expression that a new row must satisfy: WITH CHECK, or USING where there is none.
    pub fn effective_check(&self) -> Option<&Text> {
        self.check.as_ref().or(self.using.as_ref())
    }

    /// As [`effective_check`](Self::effective_check), as PostgreSQL stores it.
    pub fn effective_check_tree(&self) -> Option<&Text> {
        self.check_tree.as_ref().or(self.using_tree.as_ref())
    }
}
