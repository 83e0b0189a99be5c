//! A session bound to A calls a function that runs with more rights than its own, and B's rows are looked at afterwards.

use crate::attack::attempt::State;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "changes rows of another tenant by a function",
    severity: Severity::Error,
    help: "let the function run as its caller (SECURITY INVOKER); where it must not, compare the tenant column with the \
           setting in every statement of its body that writes",
    call: |routine| routine.change(State::Bound),
    ..NOTHING
};
