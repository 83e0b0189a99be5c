//! A session bound to A changes B's row in place.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "changes rows of another tenant",
    severity: Severity::Error,
    help: "every permissive policy for UPDATE that applies to the role must compare the tenant column with the setting in \
           USING and in WITH CHECK; an UPDATE that reads no column is not subject to the policies for SELECT",
    plan: |target| match target.command {
        Command::Update => Ok([
            moves::update(target, State::Bound)?,
            moves::merge(target)?,
            moves::reach(target, State::Bound)?,
        ]
        .concat()),
        _ => Ok(Vec::new()),
    },
    ..NOTHING
};
