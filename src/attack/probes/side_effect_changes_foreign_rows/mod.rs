//! A session bound to A writes a row of its own; a trigger or a rule does the rest to B's.

use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "changes rows of another tenant by a trigger or a rule",
    severity: Severity::Error,
    help: "let the trigger's function run as whoever writes (SECURITY INVOKER), or compare the tenant column with NEW's or \
           OLD's in every statement of it; replace a rule by a trigger",
    write: |effects| effects.change(),
    ..NOTHING
};
