//! A session whose tenant is '' tries the door: what every connection of a pool has after its first transaction.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "reaches tenants' rows while the tenant is ''",
    severity: Severity::Error,
    help: "SET LOCAL leaves '' behind, not NULL, when its transaction ends: a policy must not be true for '' either; \
           compare with nullif(current_setting('…', true), '')",
    plan: |target| moves::without_tenant(target, State::Empty),
    look: |look| look.read(State::Empty),
    call: |routine| Ok([routine.read(State::Empty)?, routine.change(State::Empty)?].concat()),
    ..NOTHING
};
