//! What a check may look at, with the questions that many checks ask.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::bodies::Bodies;
use super::{Command, Decision, Proofs};
use crate::catalog::{Actor, Catalog, Oid, Policy, PolicyCommand, Relation, Role};
use crate::model::expression::{Expr, RowTenant, State, Value, World, evaluate};
use crate::model::{AuditedRole, Config, Model, TenantTable};

/// The catalog, the model, and what follows from both.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) model: &'a Model,
    pub(crate) config: &'a Config,
    /// What the policies say about the doors.
    pub(crate) proofs: &'a Proofs,
    /// The commands that a role may run on a relation.
    commands: HashMap<(Oid, Oid), BTreeSet<Command>>,
    held: OnceCell<Vec<Held<'a>>>,
    /// Relation, role and command of the doors that the policies certainly keep.
    proven: OnceCell<HashSet<(Oid, Oid, Command)>>,
    /// What functions' bodies name, put together once.
    pub(crate) bodies: OnceCell<Bodies<'a>>,
    /// The tenant setting in lower case, as expressions have it.
    tenant_setting: String,
}

/// Which expression of a policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// About rows that are there: USING.
    Existing,
    /// About rows that are written: WITH CHECK, or USING where there is none.
    New,
}

/// A tenant-scoped table whose policies hold an audited role.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    pub(crate) table: &'a TenantTable,
    pub(crate) relation: &'a Relation,
    pub(crate) role: &'a AuditedRole,
    /// What the role may do there.
    pub(crate) commands: BTreeSet<Command>,
    not_null: Vec<i16>,
}

impl<'a> Held<'a> {
    /// The policies that apply to the role there, whatever it does.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &'a Policy> {
        let policies = self.relation.policies.iter();
        policies.filter(|policy| applies(policy, &self.role.actor))
    }

    /// A session and a row of the table.
    pub(crate) fn world<'w>(&'w self, context: &'w Context<'_>, state: State, row: RowTenant) -> World<'w> {
        World {
            tenant_setting: &context.tenant_setting,
            state,
            tenant_column: self.table.tenant_column(),
            row,
            set: None,
            flag: None,
            not_null: &self.not_null,
        }
    }
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
    pub(crate) fn new(
        catalog: &'a Catalog,
        model: &'a Model,
        config: &'a Config,
        proofs: &'a Proofs,
    ) -> Self {
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
            proofs,
            commands,
            held: OnceCell::new(),
            proven: OnceCell::new(),
            bodies: OnceCell::new(),
            tenant_setting: model.tenant_setting.to_lowercase(),
        }
    }

    /// Tenant-scoped tables with row security and the audited roles that it holds there.
    pub(crate) fn held(&self) -> &[Held<'a>] {
        self.held.get_or_init(|| self.find_held())
    }

    fn find_held(&self) -> Vec<Held<'a>> {
        let roles: Vec<_> = self.roles().collect();
        let mut list = Vec::new();
        for (table, relation) in self.tables().filter(|(_, relation)| relation.row_security) {
            for role in &roles {
                let commands = self.commands(role, relation);
                let owner = role.actor.acts_as_owner(relation.owner) && !relation.force_row_security;
                if owner || commands.is_empty() {
                    continue;
                }
                let columns = relation.columns.iter().filter(|column| column.not_null);
                list.push(Held {
                    table,
                    relation,
                    role,
                    commands,
                    not_null: columns.map(|column| column.number).collect(),
                });
            }
        }
        list
    }

    /// Whether the policies certainly keep the border when the role runs the command there.
    pub(crate) fn is_proven(&self, held: &Held<'_>, command: Command) -> bool {
        let proven = self.proven.get_or_init(|| {
            let proven = self.proofs.decisions().filter_map(|(index, decision)| {
                let door = self.model.doors.get(index)?;
                matches!(decision, Decision::Proven(_)).then_some((door.oid, door.role, door.command))
            });
            proven.collect()
        });
        proven.contains(&(held.relation.oid, held.role.oid, command))
    }

    /// What the policy says about these rows.
    pub(crate) fn expression(&self, policy: &Policy, rows: Rows) -> Option<&Expr> {
        let tree = match rows {
            Rows::Existing => policy.using_tree.as_ref(),
            Rows::New => policy.effective_check_tree(),
        };
        self.model.expressions.get(tree?)
    }

    /// Both expressions of a policy.
    pub(crate) fn expressions(&self, policy: &Policy) -> impl Iterator<Item = &Expr> {
        let trees = [&policy.using_tree, &policy.check_tree].into_iter().flatten();
        trees.filter_map(|tree| self.model.expressions.get(tree))
    }

    /// The permissive policies that certainly let the row through, and no RESTRICTIVE one might stop it.
    pub(crate) fn admitting<'p>(
        &self,
        applied: &Applied<'p>,
        rows: Rows,
        world: &World<'_>,
    ) -> Vec<&'p Policy> {
        let holds = |policy: &Policy| {
            // A policy without an expression for these rows does not decide about them.
            let expression = self.expression(policy, rows);
            expression.is_some_and(|expression| evaluate(expression, world) == Value::True)
        };
        if !applied.restrictive.iter().all(|policy| holds(policy)) {
            return Vec::new();
        }
        applied
            .permissive
            .iter()
            .copied()
            .filter(|policy| holds(policy))
            .collect()
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
