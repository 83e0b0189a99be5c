//! The result of an audit: the value that every report format renders (DESIGN, section 5; additions only).

use serde::{Deserialize, Serialize};

use super::door::{Door, DoorVerdict};
use super::finding::{Finding, Object, Severity};

/// The audit's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No door leaks and at least one door of every audited role was decided.
    Isolated,
    /// A door leaks, or a finding is an error.
    Leaking,
    /// No leak was found, but for some audited role not one door could be decided.
    Undecided,
}

/// Counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Tenant-scoped tables.
    pub tables: usize,
    /// Doors examined.
    pub doors: usize,
    /// Doors whose policies prove the border.
    pub proven: usize,
    /// Doors whose attacks all failed.
    pub held: usize,
    /// Doors that leak.
    pub leaks: usize,
    /// Doors about which nothing is known.
    pub undecided: usize,
    /// Attacks that were really run.
    pub attacks_run: usize,
    /// Wall-clock time in milliseconds.
    pub elapsed_ms: u64,
}

/// A finding that `rls.toml` allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The check.
    pub check: String,
    /// The object.
    pub object: Object,
    /// The audited role, if it concerns one.
    pub role: Option<String>,
    /// Why it is intended.
    pub reason: String,
}

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of this structure in JSON.
    pub schema_version: u32,
    /// The answer.
    pub verdict: Verdict,
    /// The audited roles.
    pub roles: Vec<String>,
    /// The tenant setting.
    pub tenant_setting: String,
    /// Counts.
    pub summary: Summary,
    /// Findings, worst first, then by object.
    pub findings: Vec<Finding>,
    /// Every door with its verdict, by object, role and command.
    pub doors: Vec<Door>,
    /// Findings that `rls.toml` allows, with their reasons.
    pub allowed: Vec<Allowed>,
    /// What the reader should know: what could not be seen or done.
    pub notes: Vec<String>,
}

impl Report {
    /// The version of the JSON structure.
    pub const SCHEMA_VERSION: u32 = 1;

    /// Sorts, counts, and judges.
    pub fn new(
        roles: Vec<String>,
        tenant_setting: String,
        mut findings: Vec<Finding>,
        mut doors: Vec<Door>,
        counted: Summary,
    ) -> Self {
        findings.sort_by(|a, b| {
            let key = |f: &Finding| {
                (
                    std::cmp::Reverse(f.severity),
                    f.object.clone(),
                    f.check.clone(),
                    f.command,
                )
            };
            key(a)
                .cmp(&key(b))
                .then_with(|| a.fingerprint.cmp(&b.fingerprint))
        });
        doors.sort_by(|a, b| {
            (&a.object, &a.role, a.command, a.kind).cmp(&(&b.object, &b.role, b.command, b.kind))
        });
        let count = |verdict| doors.iter().filter(|door| door.verdict == verdict).count();
        let summary = Summary {
            doors: doors.len(),
            proven: count(DoorVerdict::Proven),
            held: count(DoorVerdict::Held),
            leaks: count(DoorVerdict::Leak),
            undecided: count(DoorVerdict::Undecided),
            ..counted
        };
        let leaking = summary.leaks > 0 || findings.iter().any(|finding| finding.severity == Severity::Error);
        let decided = |role: &String| decided(role, &doors);
        let verdict = if leaking {
            Verdict::Leaking
        } else if !roles.is_empty() && roles.iter().all(decided) {
            Verdict::Isolated
        } else {
            Verdict::Undecided
        };
        Self {
            schema_version: Self::SCHEMA_VERSION,
            verdict,
            roles,
            tenant_setting,
            summary,
            findings,
            doors,
            allowed: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The audited roles of which not one door could be decided, those without a door included: about them nothing was
    /// verified.
    pub fn undecided_roles(&self) -> impl Iterator<Item = &str> {
        self.roles
            .iter()
            .filter(|role| !decided(role, &self.doors))
            .map(String::as_str)
    }

    /// Whether a finding reaches the threshold.
    pub fn fails_on(&self, threshold: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= threshold)
    }
}

/// Whether something is known about at least one door of the role.
fn decided(role: &str, doors: &[Door]) -> bool {
    doors
        .iter()
        .any(|door| door.role == role && door.verdict != DoorVerdict::Undecided)
}
