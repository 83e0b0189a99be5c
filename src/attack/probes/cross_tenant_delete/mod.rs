//! A session bound to A removes B's row.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "removes rows of another tenant",
    severity: Severity::Error,
    help: "every permissive policy for DELETE that applies to the role must compare the tenant column with the setting in \
           USING; a DELETE without WHERE is not subject to the policies for SELECT",
    plan: |target| match target.command {
        Command::Delete => Ok([
            moves::delete(target, State::Bound)?,
            moves::merge(target)?,
            moves::reach(target, State::Bound)?,
        ]
        .concat()),
        _ => Ok(Vec::new()),
    },
    ..NOTHING
};
