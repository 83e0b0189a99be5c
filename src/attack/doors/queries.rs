//! Views and materialized views: queries that somebody else wrote.

use super::aim::{Aim, readable};
use crate::attack::look::Look;
use crate::attack::routine::goes_outside;
use crate::attack::run::Run;
use crate::attack::session::Session;
use crate::audit::DoorKind;
use crate::error::Result as Outcome;
use crate::model::{AuditedRole, ModelDoor};

impl Run<'_> {
    pub(super) fn look<'a>(
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
}
