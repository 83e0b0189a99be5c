//! A session bound to A writes a row of its own; what a trigger or a rule does shows it rows of B.

use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "is shown rows of another tenant by a trigger or a rule",
    severity: Severity::Error,
    help: "let the trigger's function run as whoever writes (SECURITY INVOKER), or compare the tenant column with NEW's or \
           OLD's in every query of it; give a history table the tenant column and a policy",
    write: |effects| effects.show(),
    ..NOTHING
};
