//! A session bound to A makes B's row its own.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::attack::rows::Side;
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "takes over rows of another tenant",
    severity: Severity::Error,
    help: "every permissive policy for UPDATE that applies to the role must compare the tenant column with the setting in \
           USING, not only in WITH CHECK",
    plan: |target| {
        let changes = target.ownership(Side::A);
        if target.command != Command::Update || changes.is_empty() {
            return Ok(Vec::new());
        }
        moves::update_with(target, State::Bound, |_| changes.clone())
    },
    ..NOTHING
};
