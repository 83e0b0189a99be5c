//! What is known about each door, from wherever it comes: findings, proofs, attacks. The worst news wins; what nothing
//! was said about is undecided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Command, Decision, Door, DoorKind, DoorVerdict, Evidence, Finding, Object, Proofs, Severity};
use crate::catalog::{Catalog, Oid};
use crate::model::{Model, ModelDoor};

/// The verdict of every door, in the model's order.
#[derive(Debug)]
pub(super) struct Verdicts {
    list: Vec<(DoorVerdict, String)>,
    /// Doors that are open on purpose.
    intended: BTreeSet<usize>,
    /// Doors whose policies were shown to let a foreign row through: that attacks fail there says little.
    refuted: BTreeSet<usize>,
}

/// Which of two verdicts stands.
fn rank(verdict: DoorVerdict) -> u8 {
    match verdict {
        DoorVerdict::Undecided => 0,
        DoorVerdict::Held => 1,
        DoorVerdict::Proven => 2,
        DoorVerdict::Leak => 3,
    }
}

impl Verdicts {
    /// Nothing is known.
    pub(super) fn new(model: &Model) -> Self {
        Self {
            list: vec![(DoorVerdict::Undecided, String::new()); model.doors.len()],
            intended: BTreeSet::new(),
            refuted: BTreeSet::new(),
        }
    }

    /// Takes note of what was learned about one door.
    pub(super) fn note(&mut self, door: usize, verdict: DoorVerdict, reason: impl Into<String>) {
        let Some(known) = self.list.get_mut(door) else {
            return;
        };
        if verdict == DoorVerdict::Held && self.refuted.contains(&door) {
            return;
        }
        let reason = reason.into();
        if rank(verdict) > rank(known.0) {
            *known = (verdict, reason);
        } else if verdict == known.0 && known.1.is_empty() {
            known.1 = reason;
        } else if verdict == DoorVerdict::Undecided
            && known.0 == verdict
            && known.1 != reason
            && !reason.is_empty()
        {
            known.1 = format!("{}; {reason}", known.1);
        }
    }

    /// What the policies themselves decide.
    pub(super) fn note_proofs(&mut self, proofs: &Proofs) {
        for (index, decision) in proofs.decisions() {
            match decision {
                Decision::Proven(reason) => self.note(index, DoorVerdict::Proven, reason),
                // The finding says so, unless it is not wanted.
                Decision::Refuted(found) => {
                    self.note(index, DoorVerdict::Undecided, &found.explanation);
                    self.refuted.insert(index);
                }
                Decision::Undecided(reason) => self.note(index, DoorVerdict::Undecided, reason),
            }
        }
    }

    /// A role that row security does not hold, and every finding that is an error, opens doors.
    pub(super) fn note_findings(&mut self, catalog: &Catalog, model: &Model, findings: &[Finding]) {
        for (index, door) in model.doors.iter().enumerate() {
            let role = model.roles.iter().find(|role| role.oid == door.role);
            let escapes = role.into_iter().flat_map(|role| &role.escapes);
            for escape in escapes.filter(|escape| escape.opens(door)) {
                let reason = format!("the role {}", escape.describe(catalog));
                self.note(index, DoorVerdict::Leak, reason);
            }
        }
        let doors = Doors::new(model);
        for finding in findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
        {
            for index in doors.about(finding) {
                let reason = format!("{}: {}", finding.check, finding.message);
                self.note(index, DoorVerdict::Leak, reason);
            }
        }
    }

    /// A view over a table whose rows leak is not held because attacks on the view itself found nothing: which rows it
    /// shows may depend on values that none of theirs have.
    pub(super) fn doubt_views(&mut self, model: &Model) {
        let leaking: BTreeMap<(Oid, Oid), &ModelDoor> = model
            .doors
            .iter()
            .enumerate()
            .filter(|(index, door)| {
                self.list[*index].0 == DoorVerdict::Leak
                    && !self.intended.contains(index)
                    && matches!(door.kind, DoorKind::Table | DoorKind::Partition)
                    && door.command == Command::Select
            })
            .map(|(_, door)| ((door.role, door.oid), door))
            .collect();
        for (door, known) in model.doors.iter().zip(&mut self.list) {
            let is_view = matches!(door.kind, DoorKind::View | DoorKind::MaterializedView);
            let mut behind = door.tables.iter();
            let table = behind.find_map(|&table| leaking.get(&(door.role, table)));
            if let (true, DoorVerdict::Held, Some(table)) = (is_view, known.0, table) {
                let reason = format!("attacks on it failed, but {}, behind it, leaks", table.object);
                *known = (DoorVerdict::Undecided, reason);
            }
        }
    }

    /// A finding that `rls.toml` allows: what it is about is open on purpose, and not counted.
    pub(super) fn note_allowed(&mut self, model: &Model, finding: &Finding) {
        if finding.severity == Severity::Error {
            let doors = model
                .doors
                .iter()
                .enumerate()
                .filter(|(_, door)| is_about(finding, door));
            self.intended.extend(doors.map(|(index, _)| index));
        }
    }

    /// The doors with their verdicts.
    pub(super) fn into_doors(self, model: &Model) -> Vec<Door> {
        let Self { list, intended, .. } = self;
        list.into_iter()
            .zip(&model.doors)
            .enumerate()
            .filter(|(index, _)| !intended.contains(index))
            .map(|(_, ((verdict, reason), door))| Door {
                object: door.object.clone(),
                kind: door.kind,
                role: door.role_name.clone(),
                command: door.command,
                verdict,
                reason: if reason.is_empty() {
                    "neither proven nor attacked".to_owned()
                } else {
                    reason
                },
            })
            .collect()
    }
}

/// The check that reports what proofs refute.
const BY_PROOF: &str = "policy-admits-foreign-rows";

/// One finding a cause: where a check or an attack says more plainly what is wrong with the doors that a proof refutes,
/// that finding stands alone. What the catalog alone showed is then shown by the proof's row and SQL.
pub(super) fn merge_refutations(model: &Model, findings: &mut Vec<Finding>) {
    let (refutations, mut others): (Vec<_>, Vec<_>) = std::mem::take(findings)
        .into_iter()
        .partition(|finding| finding.check == BY_PROOF);
    if !refutations.is_empty() {
        let doors = Doors::new(model);
        let mut told = BTreeMap::<usize, Vec<usize>>::new();
        for (place, finding) in others.iter().enumerate() {
            let errors = (finding.severity == Severity::Error).then(|| doors.about(finding));
            for door in errors.into_iter().flatten() {
                told.entry(door).or_default().push(place);
            }
        }
        for refutation in refutations {
            let about: Vec<usize> = doors.about(&refutation).collect();
            if about.is_empty() || about.iter().any(|door| !told.contains_key(door)) {
                others.push(refutation);
                continue;
            }
            for place in about.iter().filter_map(|door| told.get(door)).flatten() {
                let evidence = &mut others[*place].evidence;
                if *evidence == Evidence::catalog() {
                    *evidence = refutation.evidence.clone();
                }
            }
        }
    }
    *findings = others;
}

/// The model's doors by their object.
struct Doors<'m>(&'m Model, HashMap<&'m Object, Vec<usize>>);

impl<'m> Doors<'m> {
    fn new(model: &'m Model) -> Self {
        let mut by_object = HashMap::<_, Vec<usize>>::new();
        for (index, door) in model.doors.iter().enumerate() {
            by_object.entry(&door.object).or_default().push(index);
        }
        Self(model, by_object)
    }

    /// The doors that a finding is about.
    fn about(&self, finding: &Finding) -> impl Iterator<Item = usize> {
        let object = finding.door.as_ref().unwrap_or(&finding.object);
        let indexes = self.1.get(object).into_iter().flatten().copied();
        indexes.filter(|&index| is_about(finding, &self.0.doors[index]))
    }
}

/// Whether the finding is about the door: the same object, and the same role and command where it names one.
fn is_about(finding: &Finding, door: &ModelDoor) -> bool {
    finding.door.as_ref().unwrap_or(&finding.object) == &door.object
        && finding.role.as_deref().is_none_or(|role| role == door.role_name)
        && finding.command.is_none_or(|command| command == door.command)
}
