//! A session bound to A calls a function that runs with more rights than its own, and looks at what comes back.

use crate::attack::attempt::State;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "gets rows of another tenant from a function",
    severity: Severity::Error,
    help: "let the function run as its caller (SECURITY INVOKER); where it must not, compare the tenant column with the \
           setting in its body, quote what becomes part of a statement (format('%I', …), EXECUTE … USING), and revoke \
           EXECUTE from PUBLIC",
    call: |routine| routine.read(State::Bound),
    ..NOTHING
};
