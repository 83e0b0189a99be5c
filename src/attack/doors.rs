//! From a door of the model to a target: the table behind it, what the role may do there, the rows, the session.

use super::rows::{Belongs, Scene, Side};
use super::run::Run;
use super::target::{Rights, Target};
use crate::audit::{Command, DoorKind};
use crate::catalog::{Actor, Privilege, Relation};
use crate::model::ModelDoor;

impl Run<'_> {
    /// The target, or the reason in words why the door cannot be attacked.
    pub(super) fn target(&self, door: &ModelDoor) -> Result<Target<'_>, String> {
        let is_table = matches!(door.kind, DoorKind::Table | DoorKind::Partition);
        let is_known = matches!(
            door.command,
            Command::Select | Command::Insert | Command::Update | Command::Delete
        );
        if !is_table || !is_known {
            return Err("attacks on this kind of door are not there yet".to_owned());
        }
        let role = self.model.roles.iter().find(|role| role.oid == door.role);
        if let Some(escape) = role.and_then(|role| role.total_escape(&self.model.tables)) {
            // One finding on the role says it; attacks would say it again for every table.
            return Err(format!(
                "row security does not hold the role: it {}",
                escape.describe(self.catalog)
            ));
        }
        let (Some(role), Some(relation)) = (role, self.catalog.relations.get(door.oid)) else {
            return Err("the catalog does not know the role or the table".to_owned());
        };
        let session = match self.sessions.get(&door.role) {
            Some(Ok(session)) => session,
            Some(Err(reason)) => return Err(reason.clone()),
            None => return Err("there is no session of the role".to_owned()),
        };
        let Some(table) = self.stage.table(door.oid) else {
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
            rights: rights(&role.actor, relation),
            tenants: [a, b],
            counts: [self.count(table, Side::A), self.count(table, Side::B)],
            fresh,
        })
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

fn rights(actor: &Actor, relation: &Relation) -> Rights {
    let may = |privilege| {
        relation
            .columns
            .iter()
            .map(|column| actor.on_column(relation, column).has(privilege))
            .collect()
    };
    Rights {
        select: may(Privilege::Select),
        insert: may(Privilege::Insert),
        update: may(Privilege::Update),
    }
}
