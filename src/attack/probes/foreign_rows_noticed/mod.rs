//! What a session bound to A can observe depends on B's rows: found by comparing the world with them and without.

use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

/// Plans nothing: what other probes read is compared (`worlds`).
pub(crate) static PROBE: Probe = Probe {
    summary: "gets answers that depend on rows of another tenant",
    severity: Severity::Error,
    help: "count, add up and search the session's own rows alone: let the view read as its caller (security_invoker), let the \
           function run as its caller, or compare the tenant column with the setting in it",
    ..NOTHING
};
