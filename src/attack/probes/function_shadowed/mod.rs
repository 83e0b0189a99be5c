//! A session bound to A stands a temporary view before a table that a function reads with more rights than the session's.

use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "runs code of its own with a function's rights, and reads rows of another tenant",
    severity: Severity::Error,
    help: "ALTER FUNCTION … SET search_path = pg_catalog, pg_temp (with pg_temp at the end: it is searched first where it is not \
           named), with the schema before every table in the body; or write the body as BEGIN ATOMIC … END",
    call: |routine| routine.shadow(),
    ..NOTHING
};
