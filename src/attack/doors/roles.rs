//! Roles that the session can become.

use super::aim::{Aim, MOST_TABLES, rights};
use crate::attack::run::Run;
use crate::attack::target::Target;
use crate::audit::{Command, DoorKind};
use crate::catalog::Privilege;
use crate::model::ModelDoor;

impl Run<'_> {
    /// Rows of the tables that the role reaches which the session can become.
    pub(super) fn becoming(&self, door: &ModelDoor) -> Result<Aim<'_>, String> {
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
}
