//! A session bound to A inserts a row of its own with a value that has to be unique and that B's row holds.

use crate::attack::attempt::Attempt;
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::structure;
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "learns that another tenant holds a unique value",
    severity: Severity::Warning,
    help: "let uniqueness hold per tenant: put the tenant column into the unique or exclusion constraint",
    plan: |target| -> crate::error::Result<Vec<Attempt>> { structure::taken(target) },
    ..NOTHING
};
