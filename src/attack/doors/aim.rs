//! What is attacked behind a door, the session at it, and what the role may do there.

use std::sync::Arc;

use crate::attack::effects::Effects;
use crate::attack::look::{Look, Visitor};
use crate::attack::routine::Routine;
use crate::attack::rows::{Belongs, Place, Scene, Shape, Side};
use crate::attack::run::Run;
use crate::attack::session::Session;
use crate::attack::target::{Rights, Target, owner_condition};
use crate::audit::{Command, DoorKind};
use crate::catalog::{Actor, Privilege, Relation};
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
pub(super) const MOST_TABLES: usize = 12;

/// Made rows that a script may hold.
const MOST_PLACES: usize = 400;

impl Run<'_> {
    /// What is attacked, or the reason in words why the door cannot be.
    pub(in crate::attack) fn aim(&self, door: &ModelDoor) -> Outcome<Result<Aim<'_>, String>> {
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
    pub(super) fn visitor_of(&self, door: &ModelDoor) -> Result<(&AuditedRole, &Session), String> {
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
    pub(in crate::attack) fn target(&self, door: &ModelDoor) -> Result<Target<'_>, String> {
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
    pub(super) fn visitor<'a>(
        &'a self,
        session: &'a Session,
        tables: &[usize],
    ) -> Result<Visitor<'a>, String> {
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
}

/// What says how B's rows in these tables look: those that were made, and those that came to be.
pub(super) fn witness(scene: &Scene, tables: &[usize]) -> Outcome<String> {
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
pub(super) fn readable(role: &AuditedRole, relation: &Relation) -> Outcome<Vec<Ident>> {
    relation
        .columns
        .iter()
        .filter(|column| role.actor.on_column(relation, column).has(Privilege::Select))
        .map(|column| Ident::new(&*column.name))
        .collect()
}

/// What the role may do with the columns of `table` through `door`, which shows them by the same names.
pub(super) fn rights(actor: &Actor, door: &Relation, table: &Relation) -> Rights {
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
