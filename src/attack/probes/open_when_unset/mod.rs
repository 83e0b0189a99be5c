//! A session that never set the tenant tries the door.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::Severity;

pub(crate) static PROBE: Probe = Probe {
    summary: "reaches tenants' rows while no tenant was ever set",
    severity: Severity::Error,
    help: "current_setting(…, true) is NULL in a session that never set it: a policy must not be true then; compare with \
           nullif(current_setting('…', true), ''), without COALESCE and without OR … IS NULL",
    plan: |target| moves::without_tenant(target, State::NeverSet),
    look: |look| look.read(State::NeverSet),
    call: |routine| Ok([routine.read(State::NeverSet)?, routine.change(State::NeverSet)?].concat()),
    ..NOTHING
};
