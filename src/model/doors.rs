//! The doors: every object by which an audited role may reach tenant-scoped rows, one a command.

use std::collections::{BTreeMap, BTreeSet};

use super::escape::Step;
use super::roles::AuditedRole;
use super::scope::TenantTable;
use crate::audit::{Command, DoorKind, Object};
use crate::catalog::{Actor, Catalog, Function, Oid, Privilege, Privileges, Relation, RelationKind, Trigger};

/// One way from an audited role to tenant-scoped rows.
#[derive(Debug, Clone)]
pub struct ModelDoor {
    /// The object, as reports name it.
    pub object: Object,
    /// Its OID: of a relation, function, trigger, rule or role, according to the kind.
    pub oid: Oid,
    /// What sort of object it is.
    pub kind: DoorKind,
    /// The audited role.
    pub role: Oid,
    /// The audited role's name.
    pub role_name: String,
    /// What the role does there.
    pub command: Command,
    /// The tenant-scoped tables behind it, where they are known; a function's body may reach any.
    pub tables: Vec<Oid>,
    /// Why it is a door.
    pub ground: String,
}

/// Commands on relations with the privilege that each needs.
const COMMANDS: [(Command, Privilege); 5] = [
    (Command::Select, Privilege::Select),
    (Command::Insert, Privilege::Insert),
    (Command::Update, Privilege::Update),
    (Command::Delete, Privilege::Delete),
    (Command::Truncate, Privilege::Truncate),
];

struct Doors<'a> {
    catalog: &'a Catalog,
    tables: &'a [TenantTable],
    behind_views: &'a BTreeMap<Oid, BTreeSet<Oid>>,
    unknown: &'a [&'a Relation],
    role: &'a AuditedRole,
    list: Vec<ModelDoor>,
}

/// Every door of every role. `unknown` are tables whose policies ask who is asking, but of which nothing shows whose
/// their rows are.
pub(super) fn doors(
    catalog: &Catalog,
    roles: &[AuditedRole],
    tables: &[TenantTable],
    behind_views: &BTreeMap<Oid, BTreeSet<Oid>>,
    unknown: &[&Relation],
) -> Vec<ModelDoor> {
    let mut list = Vec::new();
    for role in roles {
        let mut doors = Doors {
            catalog,
            tables,
            behind_views,
            unknown,
            role,
            list: Vec::new(),
        };
        doors.through_tables();
        doors.through_unknown();
        doors.through_views();
        doors.through_functions();
        doors.through_triggers_and_rules();
        doors.through_roles();
        let mut found = doors.list;
        found.sort_by(|a, b| (&a.object, a.kind, a.command).cmp(&(&b.object, b.kind, b.command)));
        list.extend(found);
    }
    list
}

impl Doors<'_> {
    fn push(
        &mut self,
        object: Object,
        oid: Oid,
        kind: DoorKind,
        command: Command,
        tables: Vec<Oid>,
        ground: String,
    ) {
        self.list.push(ModelDoor {
            object,
            oid,
            kind,
            role: self.role.oid,
            role_name: self.role.name.clone(),
            command,
            tables,
            ground,
        });
    }

    fn through_tables(&mut self) {
        for table in self.tables {
            let Some(relation) = self.catalog.relations.get(table.relation) else {
                continue;
            };
            let kind = match relation.kind {
                RelationKind::ForeignTable => DoorKind::ForeignTable,
                _ if table.part_of.is_some() => DoorKind::Partition,
                _ => DoorKind::Table,
            };
            for (command, ground) in self.commands(relation) {
                self.push(
                    relation.object(),
                    relation.oid,
                    kind,
                    command,
                    vec![table.relation],
                    ground,
                );
            }
        }
    }

    fn through_unknown(&mut self) {
        for relation in self.unknown {
            for (command, ground) in self.commands(relation) {
                let ground = format!("{ground}; whose its rows are is not known");
                let (object, oid) = (relation.object(), relation.oid);
                self.push(object, oid, DoorKind::Table, command, Vec::new(), ground);
            }
        }
    }

    fn through_views(&mut self) {
        for (&oid, tables) in self.behind_views {
            let Some(view) = self.catalog.relations.get(oid) else {
                continue;
            };
            let kind = match view.kind {
                RelationKind::MaterializedView => DoorKind::MaterializedView,
                _ => DoorKind::View,
            };
            for (command, ground) in self.commands(view) {
                let possible = match command {
                    Command::Select => true,
                    // A view has no rows of its own to truncate; a materialized view takes no writes.
                    Command::Truncate => false,
                    Command::Update => view.updatable & 4 != 0,
                    Command::Insert => view.updatable & 8 != 0,
                    _ => view.updatable & 16 != 0,
                };
                if possible && (command == Command::Select || kind == DoorKind::View) {
                    let tables = tables.iter().copied().collect();
                    self.push(view.object(), oid, kind, command, tables, ground);
                }
            }
        }
    }

    /// The commands that the role may run on a relation, each with its ground.
    fn commands(&self, relation: &Relation) -> Vec<(Command, String)> {
        let actor = &self.role.actor;
        if !self.catalog.may_use_schema(actor, &relation.schema) {
            return Vec::new();
        }
        let whole = actor.on_relation(relation);
        let any = actor.on_any_column(relation);
        COMMANDS
            .into_iter()
            .filter(|(_, privilege)| any.has(*privilege))
            .map(|(command, privilege)| {
                let ground = match (actor.superuser, whole.has(privilege)) {
                    (true, _) => "superuser".to_owned(),
                    (false, true) => format!("granted {}", command.as_sql()),
                    (false, false) => format!("granted {} on some columns", command.as_sql()),
                };
                (command, ground)
            })
            .collect()
    }

    /// SECURITY DEFINER functions: others run with the caller's own rights and open nothing.
    fn through_functions(&mut self) {
        for function in &self.catalog.functions {
            let callable = function.security_definer
                && !function.is_trigger_function()
                && self.role.actor.may_execute(function)
                && self.catalog.may_use_schema(&self.role.actor, &function.schema);
            if callable && self.reaches_rows(function) {
                let ground = format!(
                    "SECURITY DEFINER, runs as {}",
                    self.catalog.role_name(function.owner)
                );
                self.push(
                    function.object(),
                    function.oid,
                    DoorKind::Function,
                    Command::Execute,
                    Vec::new(),
                    ground,
                );
            }
        }
    }

    /// Whether the function's owner may read or write a tenant-scoped table.
    fn reaches_rows(&self, function: &Function) -> bool {
        let Some(owner) = self.catalog.roles.get(function.owner) else {
            return false;
        };
        let owner = self.catalog.actor(owner);
        self.tables.iter().any(|table| {
            let relation = self.catalog.relations.get(table.relation);
            relation.is_some_and(|relation| !row_privileges(&owner, relation).is_empty())
        })
    }

    /// Triggers and rules that run with another role's rights when the audited role writes.
    fn through_triggers_and_rules(&mut self) {
        for relation in &self.catalog.relations {
            let any = self.role.actor.on_any_column(relation);
            if any.is_empty() || !self.catalog.may_use_schema(&self.role.actor, &relation.schema) {
                continue;
            }
            for trigger in relation.triggers.iter().filter(|trigger| trigger.fires()) {
                let function = self.catalog.functions.get(trigger.function);
                let Some(function) = function.filter(|function| function.security_definer) else {
                    continue;
                };
                if self.reaches_rows(function) {
                    self.through_trigger(relation, trigger, function, any);
                }
            }
            for rule in relation
                .rules
                .iter()
                .filter(|rule| matches!(rule.enabled, 'O' | 'A'))
            {
                let (command, privilege) = match rule.event {
                    '2' => (Command::Update, Privilege::Update),
                    '3' => (Command::Insert, Privilege::Insert),
                    '4' => (Command::Delete, Privilege::Delete),
                    _ => (Command::Select, Privilege::Select),
                };
                if any.has(privilege) {
                    let object =
                        Object::in_schema(&*relation.schema, format!("{}.{}", relation.name, rule.name));
                    let tables = rule
                        .reads
                        .iter()
                        .map(|reference| reference.relation)
                        .filter(|oid| self.tables.iter().any(|table| table.relation == *oid))
                        .collect();
                    let owner = self.catalog.role_name(relation.owner);
                    let ground = format!("a rule runs as {owner}, the owner of {}", relation.plain_name());
                    self.push(object, rule.oid, DoorKind::Rule, command, tables, ground);
                }
            }
        }
    }

    fn through_trigger(
        &mut self,
        relation: &Relation,
        trigger: &Trigger,
        function: &Function,
        any: Privileges,
    ) {
        let events = [
            (Command::Insert, Privilege::Insert, trigger.on_insert()),
            (Command::Update, Privilege::Update, trigger.on_update()),
            (Command::Delete, Privilege::Delete, trigger.on_delete()),
            (Command::Truncate, Privilege::Truncate, trigger.on_truncate()),
        ];
        for (command, privilege, fires) in events {
            if fires && any.has(privilege) {
                let object =
                    Object::in_schema(&*relation.schema, format!("{}.{}", relation.name, trigger.name));
                let owner = self.catalog.role_name(function.owner);
                let ground = format!("its SECURITY DEFINER function runs as {owner}");
                self.push(
                    object,
                    trigger.oid,
                    DoorKind::Trigger,
                    command,
                    Vec::new(),
                    ground,
                );
            }
        }
    }

    /// Roles that it can become, if they may touch tenant-scoped tables; those that escape are findings on the role.
    fn through_roles(&mut self) {
        for &(oid, step) in &self.role.becomes {
            let Some(role) = self.catalog.roles.get(oid) else {
                continue;
            };
            let actor = self.catalog.actor(role);
            let tables: Vec<Oid> = self
                .tables
                .iter()
                .map(|table| table.relation)
                .filter(|&oid| {
                    let relation = self.catalog.relations.get(oid);
                    relation.is_some_and(|relation| !row_privileges(&actor, relation).is_empty())
                })
                .collect();
            if tables.is_empty() {
                continue;
            }
            let ground = match step {
                Step::Admin => "may grant it to itself (ADMIN OPTION)",
                Step::CreateRole => "may grant it to itself (CREATEROLE)",
                _ => "may SET ROLE to it",
            };
            self.push(
                Object::Role(role.name.clone()),
                oid,
                DoorKind::Role,
                Command::Execute,
                tables,
                ground.to_owned(),
            );
        }
    }
}

/// Privileges that read or change rows.
fn row_privileges(actor: &Actor, relation: &Relation) -> Privileges {
    let any = actor.on_any_column(relation);
    COMMANDS
        .into_iter()
        .filter(|(_, privilege)| any.has(*privilege))
        .fold(Privileges::NONE, |set, (_, privilege)| set.with(privilege))
}
