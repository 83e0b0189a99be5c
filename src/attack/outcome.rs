//! What came of the attacks: a verdict for every door of the model, and a finding for every kind of attack that worked.

use std::collections::BTreeSet;

use super::attempt::{Attempt, Judgement, State};
use crate::audit::{Door, DoorVerdict, Finding};
use crate::model::{Model, ModelDoor};

/// The result of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// One finding a door and probe that broke through, each with a script.
    pub findings: Vec<Finding>,
    /// Every door of the model, in its order.
    pub doors: Vec<Door>,
    /// Attempts that were really made, controls not counted.
    pub attacks_run: usize,
}

impl Outcome {
    /// Nothing could be tried, for this reason.
    pub(super) fn untried(model: &Model, reason: &str) -> Self {
        let undecided = |door| judged(door, DoorVerdict::Undecided, reason.to_owned());
        Self {
            doors: model.doors.iter().map(undecided).collect(),
            ..Self::default()
        }
    }
}

/// A door with its verdict.
pub(super) fn judged(door: &ModelDoor, verdict: DoorVerdict, reason: String) -> Door {
    Door {
        object: door.object.clone(),
        kind: door.kind,
        role: door.role_name.clone(),
        command: door.command,
        verdict,
        reason,
    }
}

/// An attempt that worked.
#[derive(Debug, Clone)]
pub(super) struct Leak {
    /// The probe's place in the registry.
    pub(super) probe: usize,
    pub(super) attempt: Attempt,
    /// What it got, in words.
    pub(super) got: String,
    /// It shows that foreign rows exist, and can neither read nor change them.
    pub(super) existence_only: bool,
}

/// What is known about one door while the run goes on.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether the positive control worked; the reason where it did not.
    pub(super) control: Option<Result<(), String>>,
    /// Attempts that were refused while bound, and in other states.
    pub(super) refused: usize,
    pub(super) refused_bound: usize,
    /// Why attempts came to nothing, first one first.
    pub(super) open: Vec<String>,
    /// Attempts that worked.
    pub(super) leaks: Vec<Leak>,
    /// How many of them have become findings.
    pub(super) reported: usize,
    /// What it tells whoever knows the content of a row.
    pub(super) lookups: BTreeSet<String>,
    /// Whether the door reaches nothing but the session's own rows without WHERE.
    pub(super) confined: Option<bool>,
    /// Why nothing could be tried at all.
    pub(super) closed: Option<String>,
}

impl Ledger {
    /// Attempts that worked and have not become findings yet.
    pub(super) fn unreported(&self) -> &[Leak] {
        &self.leaks[self.reported..]
    }

    /// Notes the outcome of the control.
    pub(super) fn note_control(&mut self, judgement: Judgement) {
        // One of several is enough.
        if self.control == Some(Ok(())) {
            return;
        }
        self.control = Some(match judgement {
            Judgement::Through(_) => Ok(()),
            Judgement::Refused(reason) | Judgement::Open(reason) | Judgement::LookedUp(reason) => Err(reason),
        });
    }

    /// Notes the outcome of an attack.
    pub(super) fn note(&mut self, probe: usize, name: &str, attempt: Attempt, judgement: Judgement) {
        match judgement {
            Judgement::Through(got) => self.leaks.push(Leak {
                probe,
                attempt,
                got,
                existence_only: false,
            }),
            Judgement::Refused(_) | Judgement::LookedUp(_) => {
                self.refused += 1;
                self.refused_bound += usize::from(attempt.state == State::Bound);
                if let Judgement::LookedUp(what) = judgement {
                    self.lookups.insert(what);
                }
            }
            Judgement::Open(reason) => self.open.push(format!("{name}, {}: {reason}", attempt.what)),
        }
    }

    /// The verdict and its reason.
    pub(super) fn verdict(&self) -> (DoorVerdict, String) {
        // The session that an application has is the one that people understand first.
        let leaks = self.leaks.iter().filter(|leak| !leak.existence_only);
        if let Some(leak) = leaks.min_by_key(|leak| leak.attempt.state != State::Bound) {
            let words = leak.attempt.state.words();
            return (DoorVerdict::Leak, format!("a session {words}: {}", leak.got));
        }
        let undecided = |reason: String| (DoorVerdict::Undecided, reason);
        if let Some(reason) = &self.closed {
            return undecided(reason.clone());
        }
        match &self.control {
            None => return undecided("there was no control".to_owned()),
            Some(Err(reason)) => {
                return undecided(format!(
                    "dead context: a bound session cannot work with its own row ({reason})"
                ));
            }
            Some(Ok(())) => {}
        }
        if let Some(reason) = self.open.first() {
            return undecided(format!("an attack came to nothing: {reason}"));
        }
        if self.refused_bound == 0 {
            return undecided("no attack fits this door".to_owned());
        }
        let mut reason = format!(
            "{} attacks failed, and the session's own row worked",
            self.refused
        );
        if self.leaks.iter().any(|leak| leak.existence_only) {
            reason.push_str("; that rows of other tenants exist shows, as a finding says");
        }
        if !self.lookups.is_empty() {
            let list: Vec<&str> = self.lookups.iter().map(String::as_str).collect();
            reason = format!("{reason}; {}", list.join(", "));
        }
        (DoorVerdict::Held, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::super::attempt::Sign;
    use super::super::sandbox::Trial;
    use super::*;

    fn attempt(state: State) -> Attempt {
        Attempt {
            state,
            what: "by its key",
            trial: Trial::default(),
            sign: Sign::Returns,
            rows: Vec::new(),
            plain: None,
            unbounded: false,
            compared: false,
        }
    }

    fn ledger(control: Judgement, attacks: &[(State, Judgement)]) -> DoorVerdict {
        let mut ledger = Ledger::default();
        ledger.note_control(control);
        for (state, judgement) in attacks {
            ledger.note(0, "probe", attempt(*state), judgement.clone());
        }
        ledger.verdict().0
    }

    #[test]
    fn a_door_is_held_only_with_its_control_and_an_attack_from_a_bound_session() {
        let refused = || Judgement::Refused(String::new());
        let alive = || Judgement::Through(String::new());
        let open = || Judgement::Open(String::new());
        assert_eq!(ledger(alive(), &[(State::Bound, refused())]), DoorVerdict::Held);
        assert_eq!(
            ledger(refused(), &[(State::Bound, refused())]),
            DoorVerdict::Undecided
        );
        assert_eq!(
            ledger(alive(), &[(State::Empty, refused())]),
            DoorVerdict::Undecided
        );
        assert_eq!(ledger(alive(), &[]), DoorVerdict::Undecided);
        assert_eq!(
            ledger(alive(), &[(State::Bound, refused()), (State::Empty, open())]),
            DoorVerdict::Undecided
        );
        assert_eq!(Ledger::default().verdict().0, DoorVerdict::Undecided);
    }

    #[test]
    fn a_leak_outweighs_everything() {
        let attacks = [
            (State::Bound, Judgement::Refused(String::new())),
            (State::Empty, Judgement::Through(String::new())),
        ];
        assert_eq!(
            ledger(Judgement::Open(String::new()), &attacks),
            DoorVerdict::Leak
        );
    }
}
