//! Two reports compared: what got weaker, what got stronger. Doors are compared by verdict, findings by fingerprint.

use std::collections::BTreeMap;

use serde::Serialize;

use super::door::{Door, DoorVerdict};
use super::finding::{Finding, Severity};
use super::report::Report;

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The door, or the finding's check and object.
    pub what: String,
    /// How it was: a verdict, a severity; none where it is new.
    pub before: Option<String>,
    /// How it is: none where it is gone.
    pub after: Option<String>,
    /// Why, as the newer report says; the older one where it is gone.
    pub reason: String,
}

/// What changed between two reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Isolation got weaker.
    pub weaker: Vec<Change>,
    /// Isolation got stronger.
    pub stronger: Vec<Change>,
    /// New doors that are closed: more to reach, and the border holds.
    pub added: Vec<Change>,
}

/// How well a door is known to be closed.
fn strength(verdict: DoorVerdict) -> u8 {
    match verdict {
        DoorVerdict::Leak => 0,
        DoorVerdict::Undecided => 1,
        DoorVerdict::Held => 2,
        DoorVerdict::Proven => 3,
    }
}

fn word(verdict: DoorVerdict) -> String {
    format!("{verdict:?}").to_lowercase()
}

impl Comparison {
    /// Compares.
    pub fn between(old: &Report, new: &Report) -> Self {
        let mut comparison = Self::default();
        comparison.doors(old, new);
        comparison.findings(old, new);
        comparison
    }

    fn doors(&mut self, old: &Report, new: &Report) {
        let by_key = |report: &'_ Report| -> BTreeMap<String, Door> {
            report
                .doors
                .iter()
                .map(|door| (name(door), door.clone()))
                .collect()
        };
        let (old, new) = (by_key(old), by_key(new));
        for (what, door) in &new {
            let before = old.get(what);
            let change = || Change {
                what: what.clone(),
                before: before.map(|before| word(before.verdict)),
                after: Some(word(door.verdict)),
                reason: door.reason.clone(),
            };
            match before {
                Some(before) if strength(door.verdict) < strength(before.verdict) => {
                    self.weaker.push(change());
                }
                Some(before) if strength(door.verdict) > strength(before.verdict) => {
                    self.stronger.push(change());
                }
                Some(_) => (),
                // A new door about which nothing is known may leak.
                None if strength(door.verdict) <= strength(DoorVerdict::Undecided) => {
                    self.weaker.push(change());
                }
                None => self.added.push(change()),
            }
        }
        for (what, door) in old.iter().filter(|(what, _)| !new.contains_key(*what)) {
            self.stronger.push(Change {
                what: what.clone(),
                before: Some(word(door.verdict)),
                after: None,
                reason: door.reason.clone(),
            });
        }
    }

    fn findings(&mut self, old: &Report, new: &Report) {
        // Information is about style and speed.
        let by_key = |report: &'_ Report| -> BTreeMap<String, Finding> {
            report
                .findings
                .iter()
                .filter(|finding| finding.severity > Severity::Info)
                .map(|finding| (finding.fingerprint.clone(), finding.clone()))
                .collect()
        };
        let (old, new) = (by_key(old), by_key(new));
        let change = |finding: &Finding, before: Option<Severity>, after: Option<Severity>| Change {
            what: format!("{} {}", finding.check, finding.object),
            before: before.map(|severity| format!("{severity:?}").to_lowercase()),
            after: after.map(|severity| format!("{severity:?}").to_lowercase()),
            reason: finding.message.clone(),
        };
        for (key, finding) in &new {
            let before = old.get(key).map(|before| before.severity);
            let change = || change(finding, before, Some(finding.severity));
            match before {
                Some(before) if before == finding.severity => (),
                Some(before) if before > finding.severity => self.stronger.push(change()),
                _ => self.weaker.push(change()),
            }
        }
        for (_, finding) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
            self.stronger.push(change(finding, Some(finding.severity), None));
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.weaker.is_empty() && self.stronger.is_empty() && self.added.is_empty()
    }
}

fn name(door: &Door) -> String {
    format!("{}: {} {}", door.role, door.command.as_sql(), door.object)
}

#[cfg(test)]
mod tests {
    use super::super::{Command, DoorKind, Object, Summary};
    use super::*;

    fn report(doors: &[(&str, DoorVerdict)], findings: &[(&str, Severity)]) -> Report {
        let doors = doors.iter().map(|(name, verdict)| Door {
            object: Object::in_schema("app", *name),
            kind: DoorKind::Table,
            role: "app".to_owned(),
            command: Command::Select,
            verdict: *verdict,
            reason: "because".to_owned(),
        });
        let roles = vec!["app".to_owned()];
        Report::new(
            roles,
            "app.t".to_owned(),
            Finding::samples(findings),
            doors.collect(),
            Summary::default(),
        )
    }

    fn names(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|change| change.what.as_str()).collect()
    }

    #[test]
    fn equal_reports_differ_in_nothing() {
        let report = report(&[("a", DoorVerdict::Held)], &[("a", Severity::Error)]);
        assert!(Comparison::between(&report, &report).is_empty());
    }

    #[test]
    fn every_step_down_is_weaker_and_every_step_up_stronger() {
        use DoorVerdict::{Held, Leak, Proven, Undecided};
        let order = [Leak, Undecided, Held, Proven];
        for (low, &weak) in order.iter().enumerate() {
            for &strong in &order[low + 1..] {
                let (bad, good) = (report(&[("a", weak)], &[]), report(&[("a", strong)], &[]));
                assert_eq!(
                    Comparison::between(&good, &bad).weaker.len(),
                    1,
                    "{strong:?} to {weak:?}"
                );
                assert_eq!(Comparison::between(&bad, &good).stronger.len(), 1);
                assert!(Comparison::between(&bad, &good).weaker.is_empty());
            }
        }
    }

    #[test]
    fn new_doors_and_findings_are_weighed() {
        let old = report(
            &[("gone", DoorVerdict::Leak)],
            &[("x", Severity::Warning), ("y", Severity::Error)],
        );
        let new = report(
            &[
                ("closed", DoorVerdict::Proven),
                ("dark", DoorVerdict::Undecided),
                ("open", DoorVerdict::Leak),
            ],
            &[("x", Severity::Error), ("i", Severity::Info)],
        );
        let comparison = Comparison::between(&old, &new);
        assert_eq!(
            names(&comparison.weaker),
            ["app: SELECT app.dark", "app: SELECT app.open", "some-check app.x"]
        );
        assert_eq!(
            names(&comparison.stronger),
            ["app: SELECT app.gone", "some-check app.y"]
        );
        assert_eq!(names(&comparison.added), ["app: SELECT app.closed"]);
    }
}
