//! What a check may look at, with the questions that many checks ask.

use std::collections::{BTreeSet, HashMap};

use super::Command;
use crate::catalog::{Actor, Catalog, Oid, Policy, PolicyCommand, Relation, Role};
use crate::model::{AuditedRole, Config, Model, TenantTable};

/// The catalog, the model, and what follows from both.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) model: &'a Model,
    pub(crate) config: &'a Config,
    /// The commands that a role may run on a relation.
    commands: HashMap<(Oid, Oid), BTreeSet<Command>>,
}

/// The policies that take part when a role runs a command.
#[derive(Debug, Default)]
pub(crate) struct Applied<'a> {
    /// Any of them lets a row through.
    pub(crate) permissive: Vec<&'a Policy>,
    /// All of them must.
    pub(crate) restrictive: Vec<&'a Policy>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(catalog: &'a Catalog, model: &'a Model, config: &'a Config) -> Self {
        let mut commands = HashMap::<_, BTreeSet<_>>::new();
        for door in &model.doors {
            commands
                .entry((door.role, door.oid))
                .or_default()
                .insert(door.command);
        }
        Self {
            catalog,
            model,
            config,
            commands,
        }
    }

    /// Audited roles that row security holds at least somewhere. One that escapes everything is a finding on the role
    /// and on nothing else.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &'a AuditedRole> + use<'a> {
        let tables = &self.model.tables;
        self.model
            .roles
            .iter()
            .filter(|role| role.total_escape(tables).is_none())
    }

    /// Tenant-scoped tables, partitions and inheritance children included.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&'a TenantTable, &'a Relation)> + use<'a> {
        let catalog = self.catalog;
        self.model
            .tables
            .iter()
            .filter_map(move |table| Some((table, catalog.relations.get(table.relation)?)))
    }

    /// The commands that `role` may run on the relation by its own name.
    pub(crate) fn commands(&self, role: &AuditedRole, relation: &Relation) -> BTreeSet<Command> {
        self.commands
            .get(&(role.oid, relation.oid))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether `role` reads or changes rows of the relation as if it had no row security.
    pub(crate) fn bypasses(&self, role: &Role, relation: &Relation) -> bool {
        role.superuser
            || role.bypass_rls
            || !relation.row_security
            || !relation.force_row_security && self.catalog.actor(role).acts_as_owner(relation.owner)
    }

    /// The policies of `relation` that take part when `actor` runs `command`.
    pub(crate) fn applied(actor: &Actor, relation: &'a Relation, command: PolicyCommand) -> Applied<'a> {
        let mut applied = Applied::default();
        let policies = relation.policies.iter();
        for policy in policies.filter(|policy| policy.is_for(command) && applies(policy, actor)) {
            if policy.permissive {
                applied.permissive.push(policy);
            } else {
                applied.restrictive.push(policy);
            }
        }
        applied
    }
}

/// Whether the policy is for the role, or for one whose privileges it has.
pub(crate) fn applies(policy: &Policy, actor: &Actor) -> bool {
    policy.roles.iter().any(|&role| actor.acts_for(role))
}

/// The policies' word for a command; there is none for TRUNCATE and EXECUTE, which policies do not see.
pub(crate) fn policy_command(command: Command) -> Option<PolicyCommand> {
    match command {
        Command::Select => Some(PolicyCommand::Select),
        Command::Insert => Some(PolicyCommand::Insert),
        Command::Update => Some(PolicyCommand::Update),
        Command::Delete => Some(PolicyCommand::Delete),
        Command::Truncate | Command::Execute => None,
    }
}
