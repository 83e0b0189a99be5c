//! A session bound to A adds a row that is B's.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "adds rows to another tenant",
    severity: Severity::Error,
    help: "give every permissive policy for INSERT that applies to the role a WITH CHECK that compares the tenant column \
           with the setting",
    plan: |target| match target.command {
        Command::Insert => moves::insert(target, State::Bound),
        _ => Ok(Vec::new()),
    },
    ..NOTHING
};
