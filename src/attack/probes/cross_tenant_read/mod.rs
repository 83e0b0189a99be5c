//! A session bound to A asks for B's rows.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "reads rows of another tenant",
    severity: Severity::Error,
    help: "every permissive policy for SELECT that applies to the role must compare the tenant column with the setting; \
           permissive policies are joined by OR, so a single one that does not is enough",
    plan: |target| match target.command {
        Command::Select => Ok([moves::read(target, State::Bound)?, moves::read_slyly(target)?].concat()),
        _ => Ok(Vec::new()),
    },
    look: |look| look.read(State::Bound),
    ..NOTHING
};
