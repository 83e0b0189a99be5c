//! A session bound to A lets a row of its own refer to a row of B.

use crate::attack::attempt::Attempt;
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::structure;
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "lets its rows refer to rows of another tenant",
    severity: Severity::Warning,
    help: "put the tenant column into the foreign key: FOREIGN KEY (tenant_id, parent_id) REFERENCES parent (tenant_id, id)",
    plan: |target| -> crate::error::Result<Vec<Attempt>> { structure::referenced(target) },
    ..NOTHING
};
