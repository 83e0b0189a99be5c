//! From a door of the model to what is attacked: the object behind it, what the role may do there, the rows, the session.

use std::sync::Arc;

use super::effects::Effects;
use super::look::{Look, Visitor};
use super::routine::{Argument, Routine, goes_outside, mentions};
use super::rows::{Belongs, Place, Scene, Shape, Side, TypeShapes};
use super::run::Run;
use super::session::Session;
use super::target::{Rights, Target, owner_condition};
use crate::audit::{Command, DoorKind};
use crate::catalog::{Actor, Function, FunctionKind, Oid, Privilege, Relation, TypeKind};
use crate::error::Result as Outcome;
use crate::model::{AuditedRole, ModelDoor};
use crate::sql::Ident;

/// A door that is attacked; by its kind another set of moves fits.
#[derive(Debug)]
pub(crate) enum Aim<'a> {
    /// Rows of a table, under its own name or another.
    Rows(Box<Target<'a>>),
    /// A query that somebody else wrote.
    Look(Box<Look<'a>>),
    /// A function or procedure, and whether it returns nothing worth a look.
    Call(Box<Routine<'a>>, bool),
    /// A write that carries a trigger or a rule with it.
    Write(Box<Effects<'a>>),
    /// Another role that the session can become: rows of the tables that it reaches.
    Become(Vec<Target<'a>>),
}

/// Tables whose rows a function may be about, where its body does not say.
const MOST_TABLES: usize = 12;

/// Made rows that a script may hold.
const MOST_PLACES: usize = 400;

impl Run<'_> {
    /// What is attacked, or the reason in words why the door cannot be.
    pub(super) fn aim(&self, door: &ModelDoor) -> Outcome<Result<Aim<'_>, String>> {
        let (role, session) = match self.visitor_of(door) {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        match (door.kind, door.command) {
            (DoorKind::ForeignTable, _) => Ok(Err(
                "a foreign table: what is done to it leaves the transaction and cannot be rolled back"
                    .to_owned(),
            )),
            (DoorKind::View | DoorKind::MaterializedView, Command::Select) => self.look(door, role, session),
            (DoorKind::Function, _) => self.routine(door, session),
            (DoorKind::Trigger | DoorKind::Rule, _) => self.effects(door, role, session),
            (DoorKind::Role, _) => Ok(self.becoming(door)),
            _ => Ok(self.target(door).map(|target| Aim::Rows(Box::new(target)))),
        }
    }

    /// The door's role and the session of it.
    fn visitor_of(&self, door: &ModelDoor) -> Result<(&AuditedRole, &Session), String> {
        let role = self.model.roles.iter().find(|role| role.oid == door.role);
        if let Some(escape) = role.and_then(|role| role.total_escape(&self.model.tables)) {
            // One finding on the role says it; attacks would say it again for every table.
            return Err(format!(
                "row security does not hold the role: it {}",
                escape.describe(self.catalog)
            ));
        }
        let role = role.ok_or_else(|| "the catalog does not know the role".to_owned())?;
        match self.sessions.get(&door.role) {
            Some(Ok(session)) => Ok((role, session)),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err("there is no session of the role".to_owned()),
        }
    }

    /// Rows of a table, or the reason in words why they cannot be attacked.
    pub(super) fn target(&self, door: &ModelDoor) -> Result<Target<'_>, String> {
        let is_table = matches!(door.kind, DoorKind::Table | DoorKind::Partition | DoorKind::View);
        let is_known = matches!(
            door.command,
            Command::Select | Command::Insert | Command::Update | Command::Delete
        );
        if door.command == Command::Truncate {
            let reason = "TRUNCATE is not subject to row security; the check truncate-granted reports it";
            return Err(reason.to_owned());
        }
        if !is_table || !is_known {
            return Err("attacks on this kind of door are not there yet".to_owned());
        }
        let (role, session) = self.visitor_of(door)?;
        let relation = self.catalog.relations.get(door.oid);
        let relation = relation.ok_or_else(|| "the catalog does not know the table".to_owned())?;
        let behind = match door.kind {
            DoorKind::View => self.behind(door, relation)?,
            _ => relation,
        };
        if self.model.table(behind.oid).is_none() {
            let reason = "whose its rows are is not known: declare its tenant_column under [[table]] in rls.toml, or \
                          [[exempt]] it";
            return Err(reason.to_owned());
        }
        let Some(table) = self.stage.table(behind.oid) else {
            return Err("no rows can be made for a partition by itself yet".to_owned());
        };
        let scene = &self.stage.scene;
        if let Some(reason) = scene.refused.get(&table) {
            return Err(format!("no rows could be made: {reason}"));
        }
        let fresh = self.stage.fresh(table)?.clone();
        let tenants = [tenant_of(scene, table, Side::A), tenant_of(scene, table, Side::B)];
        let [Some(a), Some(b)] = tenants else {
            return Err("it is not known which tenant the rows belong to".to_owned());
        };
        Ok(Target {
            scene,
            table,
            session,
            command: door.command,
            rights: rights(&role.actor, relation, behind),
            alias: (relation.oid != behind.oid).then(|| Shape {
                name: relation.qualified_name(),
                ..scene.shapes[table].clone()
            }),
            tenants: [a, b],
            counts: [self.count(table, Side::A), self.count(table, Side::B)],
            fresh,
        })
    }

    /// The table that a view writes to: of those behind it the one with which it shares most columns.
    fn behind(&self, door: &ModelDoor, view: &Relation) -> Result<&Relation, String> {
        let shared = |table: &Relation| {
            let same = |column: &&crate::catalog::Column| table.column_named(&column.name).is_some();
            view.columns.iter().filter(same).count()
        };
        door.tables
            .iter()
            .filter_map(|&oid| self.catalog.relations.get(oid))
            .max_by_key(|table| (shared(table), std::cmp::Reverse(table.oid)))
            .filter(|table| shared(table) > 0)
            .ok_or_else(|| "it is not known which table's rows it writes".to_owned())
    }

    /// Rows of a side that a statement on the table may reach: those of inheritance children are among them.
    fn count(&self, table: usize, side: Side) -> usize {
        let scene = &self.stage.scene;
        let counted = self.stage.with_children(self.catalog, table);
        scene
            .rows
            .keys()
            .filter(|(table, of, _)| *of == side && counted.contains(table))
            .count()
    }

    /// A session at a door that may lead to these tables; the reason where their rows are missing.
    fn visitor<'a>(&'a self, session: &'a Session, tables: &[usize]) -> Result<Visitor<'a>, String> {
        let scene = &self.stage.scene;
        for table in tables {
            if let Some(reason) = scene.refused.get(table) {
                let name = scene.shapes[*table].name.plain();
                return Err(format!("no rows could be made in {name}: {reason}"));
            }
        }
        let [Some(a), Some(b)] = &scene.tenants else {
            return Err("it is not known which tenants the rows belong to".to_owned());
        };
        let behind = |place: &&Place| tables.is_empty() || tables.contains(&place.0);
        let places: Vec<Place> = scene
            .made
            .iter()
            .filter(behind)
            .copied()
            .take(MOST_PLACES)
            .collect();
        Ok(Visitor {
            session,
            tenants: [a.clone(), b.clone()],
            canaries: scene.canaries.clone(),
            marks: Arc::clone(&self.marks),
            places,
        })
    }

    fn look<'a>(
        &'a self,
        door: &ModelDoor,
        role: &AuditedRole,
        session: &'a Session,
    ) -> Outcome<Result<Aim<'a>, String>> {
        let Some(view) = self.catalog.relations.get(door.oid) else {
            return Ok(Err("the catalog does not know the view".to_owned()));
        };
        let mut outside = view
            .calls
            .iter()
            .filter_map(|&oid| self.catalog.functions.get(oid));
        if let Some(reason) = outside.find_map(|function| goes_outside(self.catalog, function)) {
            return Ok(Err(format!("it is not read: {reason}")));
        }
        let tables: Vec<usize> = door
            .tables
            .iter()
            .filter_map(|&oid| self.stage.table(oid))
            .collect();
        let visitor = match self.visitor(session, &tables) {
            Ok(visitor) => visitor,
            Err(reason) => return Ok(Err(reason)),
        };
        let refresh = if door.kind == DoorKind::MaterializedView {
            #[expect(clippy::cast_precision_loss, reason = "an estimate is compared")]
            if view.estimated_rows > self.options.rows_at_risk as f32 {
                let reason = "it is too large to be refreshed for an attack, which would lock it";
                return Ok(Err(reason.to_owned()));
            }
            format!("REFRESH MATERIALIZED VIEW {}", view.qualified_name())
        } else {
            String::new()
        };
        let columns = readable(role, view)?;
        Ok(Ok(Aim::Look(Box::new(Look {
            visitor,
            name: view.qualified_name(),
            columns,
            refresh,
        }))))
    }

    /// The filled tables of tenants: those that the function names, and the others.
    fn tables_of(&self, function: Option<&Function>) -> (Vec<usize>, Vec<usize>) {
        let scene = &self.stage.scene;
        let is_named = |&table: &usize| {
            let name = scene.shapes[table].name.name.as_str();
            function.is_some_and(|function| mentions(function, self.stage.relations[table], name))
        };
        (0..scene.shapes.len())
            .filter(|table| scene.belongs[*table] != Belongs::ToNobody && !scene.refused.contains_key(table))
            .partition(is_named)
    }

    fn effects<'a>(
        &'a self,
        door: &ModelDoor,
        role: &AuditedRole,
        session: &'a Session,
    ) -> Outcome<Result<Aim<'a>, String>> {
        let carries = |relation: &&Relation| {
            relation.triggers.iter().any(|trigger| trigger.oid == door.oid)
                || relation.rules.iter().any(|rule| rule.oid == door.oid)
        };
        let Some(relation) = self.catalog.relations.iter().find(carries) else {
            return Ok(Err("the catalog does not know its table".to_owned()));
        };
        let trigger = relation.triggers.iter().find(|trigger| trigger.oid == door.oid);
        let function = trigger.and_then(|trigger| self.catalog.functions.get(trigger.function));
        if let Some(reason) = function.and_then(|function| goes_outside(self.catalog, function)) {
            return Ok(Err(format!("it is not fired: {reason}")));
        }
        // The door of the table itself: what is written there carries this along.
        let of_table = |other: &&ModelDoor| {
            other.oid == relation.oid
                && other.role == door.role
                && other.command == door.command
                && matches!(other.kind, DoorKind::Table | DoorKind::Partition | DoorKind::View)
        };
        let Some(written) = self.model.doors.iter().find(of_table) else {
            return Ok(Err(format!(
                "{} belongs to no tenant, and is not written to",
                relation.plain_name()
            )));
        };
        let target = match self.target(written) {
            Ok(target) => target,
            Err(reason) => return Ok(Err(reason)),
        };
        let (mut named, others) = self.tables_of(function);
        if named.is_empty() {
            named.extend(door.tables.iter().filter_map(|&oid| self.stage.table(oid)));
        }
        named.push(target.table);
        let tables: Vec<usize> = named.iter().copied().chain(others).take(MOST_TABLES).collect();
        let witness = witness(&self.stage.scene, &tables)?;
        let visitor = match self.visitor(session, &named) {
            Ok(visitor) => visitor,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut histories = Vec::new();
        let kept = |relation: &&Relation| {
            function.is_none_or(|function| mentions(function, relation.oid, &relation.name))
        };
        let global = self
            .model
            .global
            .iter()
            .filter_map(|&oid| self.catalog.relations.get(oid));
        for history in global.filter(kept).take(MOST_TABLES) {
            let columns = readable(role, history)?;
            if self.catalog.may_use_schema(&role.actor, &history.schema) && !columns.is_empty() {
                histories.push(Look {
                    visitor: visitor.clone(),
                    name: history.qualified_name(),
                    columns,
                    refresh: String::new(),
                });
            }
        }
        Ok(Ok(Aim::Write(Box::new(Effects {
            target,
            visitor,
            witness,
            histories,
        }))))
    }

    /// Rows of the tables that the role reaches which the session can become.
    fn becoming(&self, door: &ModelDoor) -> Result<Aim<'_>, String> {
        let Some(session) = self.becoming.get(&(door.role, door.oid)) else {
            return Err("there is no session that becomes the role".to_owned());
        };
        let role = self.catalog.roles.get(door.oid);
        let role = role.ok_or_else(|| "the catalog does not know the role".to_owned())?;
        let actor = self.catalog.actor(role);
        let mut targets = Vec::new();
        for &oid in door.tables.iter().take(MOST_TABLES) {
            let Some(relation) = self.catalog.relations.get(oid) else {
                continue;
            };
            for (command, privilege) in [
                (Command::Select, Privilege::Select),
                (Command::Insert, Privilege::Insert),
                (Command::Update, Privilege::Update),
                (Command::Delete, Privilege::Delete),
            ] {
                if !actor.on_any_column(relation).has(privilege)
                    || !self.catalog.may_use_schema(&actor, &relation.schema)
                {
                    continue;
                }
                let as_table = ModelDoor {
                    oid,
                    command,
                    kind: DoorKind::Table,
                    ..door.clone()
                };
                // A partition's rows are made in its table, and looked for there.
                let Ok(target) = self.target(&as_table) else {
                    continue;
                };
                targets.push(Target {
                    session,
                    rights: rights(&actor, relation, relation),
                    ..target
                });
            }
        }
        if targets.is_empty() {
            return Err("no rows could be made in the tables that it reaches".to_owned());
        }
        Ok(Aim::Become(targets))
    }

    fn routine<'a>(&'a self, door: &ModelDoor, session: &'a Session) -> Outcome<Result<Aim<'a>, String>> {
        let Some(function) = self.catalog.functions.get(door.oid) else {
            return Ok(Err("the catalog does not know the function".to_owned()));
        };
        if let Some(reason) = goes_outside(self.catalog, function) {
            return Ok(Err(format!("it is not called: {reason}")));
        }
        if matches!(function.kind, FunctionKind::Aggregate | FunctionKind::Window) {
            return Ok(Err(
                "aggregates and window functions are not called yet".to_owned()
            ));
        }
        let types = TypeShapes::new(self.catalog);
        let arguments: Option<Vec<Argument>> = arguments(function)
            .into_iter()
            .map(|(name, oid, out)| {
                let known = self.catalog.types.get(oid)?;
                // A polymorphic argument takes text as well as anything.
                let polymorphic = matches!(&known.kind, TypeKind::Pseudo);
                let ty = match (&*known.name, polymorphic) {
                    ("anyelement" | "anynonarray" | "anycompatible" | "any", _) => {
                        super::rows::TypeShape::base("text", "pg_catalog.text")
                    }
                    (_, true) => return None,
                    _ => types.of_type(oid),
                };
                Some(Argument { name, ty, out })
            })
            .collect();
        let Some(arguments) = arguments else {
            return Ok(Err(
                "it takes an argument that a session cannot write down".to_owned()
            ));
        };
        let scene = &self.stage.scene;
        let (named, others) = self.tables_of(Some(function));
        let visitor = match self.visitor(session, if named.len() < MOST_TABLES { &named } else { &[] }) {
            Ok(visitor) => visitor,
            Err(reason) => return Ok(Err(reason)),
        };
        let tables: Vec<usize> = named.into_iter().chain(others).take(MOST_TABLES).collect();
        let witness = witness(scene, &tables)?;
        let result = self.catalog.types.get(function.result);
        let is = |name: &str| result.is_some_and(|ty| &*ty.name == name);
        let record = is("record") && function.modes.is_none();
        let single = function.kind == FunctionKind::Procedure
            || is("void")
            || !function.returns_set && function.volatility == crate::catalog::Volatility::Volatile;
        let routine = Routine::new(visitor, function, arguments, !record, witness, (scene, tables))?;
        Ok(Ok(Aim::Call(Box::new(routine), single)))
    }
}

/// What says how B's rows in these tables look: those that were made, and those that came to be.
fn witness(scene: &Scene, tables: &[usize]) -> Outcome<String> {
    let mut looks = Vec::new();
    for &table in tables {
        let name = &scene.shapes[table].name;
        if let Some(condition) = owner_condition(scene, table, Side::B)? {
            looks.push(format!(
                "(SELECT pg_catalog.string_agg(x::text, ' ' ORDER BY x::text) FROM {name} AS x WHERE {condition})"
            ));
        }
    }
    Ok(if looks.is_empty() {
        String::new()
    } else {
        format!("SELECT {}", looks.join(", "))
    })
}

/// The arguments that a call writes down: name, type, and whether it is a procedure's OUT argument.
fn arguments(function: &Function) -> Vec<(String, Oid, bool)> {
    let name = |place: usize| {
        let names = function.names.as_deref().unwrap_or_default();
        names.get(place).cloned().unwrap_or_default()
    };
    let (Some(all), Some(modes)) = (&function.all_arguments, &function.modes) else {
        return function
            .arguments
            .iter()
            .enumerate()
            .map(|(place, &oid)| (name(place), oid, false))
            .collect();
    };
    all.iter()
        .zip(modes)
        .enumerate()
        .filter_map(|(place, (&oid, mode))| match mode.as_str() {
            "i" | "b" | "v" => Some((name(place), oid, false)),
            "o" if function.kind == FunctionKind::Procedure => Some((name(place), oid, true)),
            _ => None,
        })
        .collect()
}

/// The tenant's value that the row made for a side belongs to: in the row itself, or in the parents' rows.
fn tenant_of(scene: &Scene, mut table: usize, side: Side) -> Option<String> {
    // A chain of parents is no longer than there are tables.
    for _ in 0..scene.shapes.len() {
        let row = scene.rows.get(&(table, side, 0))?;
        if let Some(column) = scene.belongs[table].column() {
            return row.get(column).map(str::to_owned);
        }
        let shape = &scene.shapes[table];
        let owner = shape
            .foreign_keys
            .iter()
            .find(|key| scene.belongs[key.parent] != Belongs::ToNobody && !shape.is_optional(key))?;
        table = owner.parent;
    }
    None
}

/// The columns that the role may read.
fn readable(role: &AuditedRole, relation: &Relation) -> Outcome<Vec<Ident>> {
    relation
        .columns
        .iter()
        .filter(|column| role.actor.on_column(relation, column).has(Privilege::Select))
        .map(|column| Ident::new(&*column.name))
        .collect()
}

/// What the role may do with the columns of `table` through `door`, which shows them by the same names.
fn rights(actor: &Actor, door: &Relation, table: &Relation) -> Rights {
    let may = |privilege| {
        let has = |name| {
            door.column_named(name)
                .is_some_and(|column| actor.on_column(door, column).has(privilege))
        };
        table.columns.iter().map(|column| has(&column.name)).collect()
    };
    Rights {
        select: may(Privilege::Select),
        insert: may(Privilege::Insert),
        update: may(Privilege::Update),
        there: table
            .columns
            .iter()
            .map(|column| door.column_named(&column.name).is_some())
            .collect(),
    }
}
