//! Triggers and rules: what an ordinary write carries along.

use super::aim::{Aim, MOST_TABLES, readable, witness};
use crate::attack::effects::Effects;
use crate::attack::look::Look;
use crate::attack::routine::{goes_outside, mentions};
use crate::attack::run::Run;
use crate::attack::session::Session;
use crate::audit::DoorKind;
use crate::catalog::Relation;
use crate::error::Result as Outcome;
use crate::model::{AuditedRole, ModelDoor};

impl Run<'_> {
    pub(super) fn effects<'a>(
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
}
