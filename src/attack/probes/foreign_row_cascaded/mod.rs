//! A session bound to A removes or renames a row of its own to which a row of B refers, and B's row goes along.

use crate::attack::attempt::Attempt;
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::structure;
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "changes or removes rows of another tenant by a foreign key's action",
    severity: Severity::Error,
    help: "put the tenant column into the foreign key: FOREIGN KEY (tenant_id, parent_id) REFERENCES parent (tenant_id, id); \
           actions such as ON DELETE CASCADE are not subject to row security",
    plan: |target| -> crate::error::Result<Vec<Attempt>> { structure::cascades(target) },
    ..NOTHING
};
