//! Asking the prover about the model's tables, as one audited role.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Oid, Privilege, Relation};
use crate::model::{AuditedRole, Model, Scope as ModelScope, TenantTable};
use crate::proof::{
    Command, CommandVerdict, Membership, Prover, Scope, Session, Shared, TablePolicies, Tenancy,
};

/// `bool`
const BOOLEAN: u32 = 16;

/// `varchar` and `char(n)`, whose modifier is their length and 4.
const LIMITED: [u32; 2] = [1043, 1042];

/// Parents of parents of … are learned this far.
const MAX_DEPTH: usize = 8;

/// The session that is reasoned about; `None` where it is bound by a statement, of which nothing is known.
pub(super) fn session(catalog: &Catalog, model: &Model, role: &AuditedRole) -> Option<Session> {
    let mut session = Session::of(catalog, catalog.roles.get(role.oid)?, &model.tenant_setting);
    if let Some(binding) = &model.binding {
        if binding.sql.is_some() {
            return None;
        }
        session.binding = binding.settings.clone();
        session.role_template.clone_from(&binding.role_per_tenant);
    }
    if let Some(identity) = &model.identity {
        session.memberships.extend(
            model
                .tenant_column_of(identity.relation)
                .map(|tenant| Membership {
                    relation: identity.relation,
                    key: identity.column,
                    placeholder: "user".to_owned(),
                    tenant,
                }),
        );
    }
    let tables = model.tables.iter();
    session.tenancies = tables
        .filter_map(|table| Some((table.relation, tenancy(catalog, table)?)))
        .collect();
    session.longest_tenant = longest_tenant(catalog, model);
    Some(session)
}

/// The length that no tenant's text exceeds, if all columns that hold tenants have one.
fn longest_tenant(catalog: &Catalog, model: &Model) -> Option<u32> {
    let mut longest = None;
    for table in &model.tables {
        let column = catalog
            .relations
            .get(table.relation)?
            .column(table.tenant_column()?)?;
        let limit = u32::try_from(column.type_modifier - 4).ok()?;
        if !LIMITED.contains(&column.type_oid) {
            return None;
        }
        longest = longest.max(Some(limit));
    }
    longest
}

/// How the table's rows belong to a tenant, as the prover has it.
pub(super) fn tenancy(catalog: &Catalog, table: &TenantTable) -> Option<Tenancy> {
    match table.scope {
        ModelScope::Column { column } | ModelScope::Root { key: column } => {
            Some(Tenancy::Columns(vec![column]))
        }
        ModelScope::Child { constraint, parent } => {
            let relation = catalog.relations.get(table.relation)?;
            let mut keys = relation.foreign_keys();
            let (own, key) = keys.find(|(own, _)| own.oid == constraint || own.parent == constraint)?;
            Some(Tenancy::Parent {
                columns: own.columns.clone(),
                parent,
                parent_columns: key.columns.clone(),
            })
        }
        ModelScope::Identity { .. } => None,
    }
}

/// A prover with what it is asked about.
#[derive(Debug)]
pub(super) struct Asker<'a> {
    pub(super) catalog: &'a Catalog,
    model: &'a Model,
    role: &'a AuditedRole,
    prover: Prover<'a>,
    /// Partitions and inheritance children by parent.
    children: BTreeMap<Oid, Vec<&'a Relation>>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        model: &'a Model,
        role: &'a AuditedRole,
        prover: Prover<'a>,
    ) -> Self {
        let mut children = BTreeMap::<Oid, Vec<&Relation>>::new();
        for relation in &catalog.relations {
            for parent in &relation.parents {
                children.entry(*parent).or_default().push(relation);
            }
        }
        Self {
            catalog,
            model,
            role,
            prover,
            children,
        }
    }

    /// Whether who is asking is looked up in a table.
    pub(super) fn has_identity(&self) -> bool {
        self.model.identity.is_some()
    }

    pub(super) fn session(&self) -> &Session {
        self.prover.session()
    }

    /// Proves the tables that policies look rows up in, those that look up nothing themselves first.
    pub(super) fn learn_parents(&mut self) {
        let relations = self
            .model
            .tables
            .iter()
            .filter_map(|table| self.catalog.relations.get(table.relation));
        let policies = relations.flat_map(|relation| &relation.policies);
        let read: BTreeSet<Oid> = policies
            .flat_map(|policy| &policy.reads)
            .map(|reference| reference.relation)
            .collect();
        let mut open: Vec<&TenantTable> = read.iter().filter_map(|oid| self.model.table(*oid)).collect();
        for _ in 0..MAX_DEPTH {
            let before = open.len();
            open.retain(|table| {
                let verdict = self.ask(table, Command::Select, Vec::new());
                let proven = verdict.is_some_and(|verdict| verdict.is_proven());
                if let (true, Some(tenancy)) = (proven, tenancy(self.catalog, table)) {
                    self.prover.learn(table.relation, tenancy);
                }
                !proven
            });
            if open.is_empty() || open.len() == before {
                return;
            }
        }
    }

    /// What holds for one command on one table, with these rows left out.
    pub(super) fn ask(
        &self,
        table: &TenantTable,
        command: Command,
        shared: Vec<Shared>,
    ) -> Option<CommandVerdict> {
        let relation = self.catalog.relations.get(table.relation)?;
        let scope = Scope {
            tenancy: tenancy(self.catalog, table)?,
            shared,
            fixed_columns: if command == Command::Update {
                self.fixed_columns(relation)
            } else {
                BTreeSet::new()
            },
        };
        Some(self.prover.prove(&TablePolicies::of(relation), &scope, command))
    }

    /// Columns that the role cannot change. A trigger could change them for it.
    fn fixed_columns(&self, relation: &Relation) -> BTreeSet<i16> {
        let actor = &self.role.actor;
        let may_change = |privileges: crate::catalog::Privileges| privileges.has(Privilege::Update);
        if may_change(actor.on_relation(relation)) || self.is_changed_on_update(relation) {
            return BTreeSet::new();
        }
        let columns = relation.columns.iter();
        let fixed = columns.filter(|column| !may_change(actor.on_column(relation, column)));
        // What is computed from other columns changes with them.
        fixed
            .filter(|column| column.generated.is_none())
            .map(|column| column.number)
            .collect()
    }

    /// Whether a trigger may change what is written to the table, or to one below it where the row goes.
    fn is_changed_on_update(&self, relation: &Relation) -> bool {
        let (mut open, mut seen) = (vec![relation], BTreeSet::new());
        while let Some(relation) = open.pop() {
            let mut triggers = relation.triggers.iter();
            if triggers.any(|trigger| trigger.fires() && trigger.before() && trigger.on_update()) {
                return true;
            }
            if seen.insert(relation.oid) {
                open.extend(self.children.get(&relation.oid).into_iter().flatten());
            }
        }
        false
    }

    /// Rows that the schema may mean for everybody: those of no tenant, and those that a flag marks.
    pub(super) fn shared(&self, table: &TenantTable) -> Vec<Shared> {
        let relation = self.catalog.relations.get(table.relation);
        let columns = relation.into_iter().flat_map(|relation| &relation.columns);
        let flags = columns.filter(|column| column.type_oid == BOOLEAN);
        std::iter::once(Shared::NoTenant)
            .chain(flags.map(|column| Shared::Flag(column.number)))
            .collect()
    }

    pub(super) fn table(&self, oid: Oid) -> Option<&'a TenantTable> {
        self.model.table(oid)
    }
}
