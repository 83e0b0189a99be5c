//! A session bound to A makes its own row everybody's, and a session bound to B sees it.

use crate::attack::attempt::Attempt;
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::structure;
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "writes rows that other tenants see",
    severity: Severity::Error,
    help: "reading shared rows may be intended, writing them is not: give INSERT and UPDATE a WITH CHECK that demands the \
           session's own tenant and no shared row; shared rows are written by another role",
    plan: |target| -> crate::error::Result<Vec<Attempt>> { structure::shared(target) },
    ..NOTHING
};
