//! A session bound to A sets every other setting that a policy reads to something inviting.

use crate::attack::attempt::State;
use crate::attack::moves;
use crate::attack::probes::{NOTHING, Probe};
use crate::audit::{Command, Severity};

pub(crate) static PROBE: Probe = Probe {
    summary: "reaches rows of another tenant by setting a custom setting",
    severity: Severity::Error,
    help: "any session can set any custom setting (SET app.is_admin = 'on'): give the exception a role of its own, and name it \
           in the policy (TO role) instead of asking a setting",
    plan: |target| {
        let mut attempts = Vec::new();
        for setting in target.session.invitations(&target.tenants[1])? {
            let mut tried = match target.command {
                Command::Select => moves::read(target, State::Bound)?,
                Command::Insert => moves::insert(target, State::Bound)?,
                Command::Update => [
                    moves::update(target, State::Bound)?,
                    moves::reach(target, State::Bound)?,
                ]
                .concat(),
                Command::Delete => [
                    moves::delete(target, State::Bound)?,
                    moves::reach(target, State::Bound)?,
                ]
                .concat(),
                _ => Vec::new(),
            };
            for attempt in &mut tried {
                attempt.trial.enter = format!("{}; {setting}", attempt.trial.enter);
            }
            attempts.append(&mut tried);
        }
        Ok(attempts)
    },
    ..NOTHING
};
