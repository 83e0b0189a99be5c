//! A session whose tenant is something that no tenant is: words that stand for "all" or "none" somewhere, wildcards.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "reaches tenants' rows while the tenant is nonsense",
    severity: Severity::Error,
    help: "compare the tenant column with the setting by =, not by LIKE or a regular expression, and give no value of the \
           setting a special meaning",
    plan: |target| match target.command {
        Command::Select => {
            let mut attempts = Vec::new();
            for value in ["rls-tool-nonsense", "%", ".*", "*", "0", "null", "all"] {
                attempts.extend(moves::read(target, State::Garbage(value))?);
            }
            Ok(attempts)
        }
        _ => moves::without_tenant(target, State::Garbage("rls-tool-nonsense")),
    },
    look: |look| look.read(State::Garbage("rls-tool-nonsense")),
    ..NOTHING
};
