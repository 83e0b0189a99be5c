//! The result of an audit: the value that every report format renders (DESIGN, section 5; additions only).

use serde::{Deserialize, Serialize};

use super::assumptions::{Assumptions, Origin};
use super::door::{Door, DoorVerdict};
use super::finding::{Finding, Object, Severity};
use crate::error::Error;
use crate::model::Config;

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// The check.
    pub check: String,
    /// The object.
    pub object: Object,
    /// The audited role, if it concerns one.
    pub role: Option<String>,
    /// Why it is intended.
    pub reason: String,
    /// The last day (`YYYY-MM-DD`) on which it is allowed, if it has one.
    #[serde(default)]
    pub expires: Option<String>,
}

/// A finding that the baseline knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its fingerprint.
    pub fingerprint: String,
    /// The check.
    pub check: String,
    /// The object.
    pub object: Object,
    /// How bad it is.
    pub severity: Severity,
}

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default)]
    pub allowed: Vec<Allowed>,
    /// Findings that a baseline knows already; they are in no other list.
    #[serde(default)]
    pub known: Vec<Known>,
    /// What the reader should know: what could not be seen or done.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was taken for granted.
    #[serde(default)]
    pub assumptions: Assumptions,
    /// What was audited, with what, and when.
    #[serde(default)]
    pub origin: Origin,
}

impl Report {
    /// The version of the JSON structure.
    pub const SCHEMA_VERSION: u32 = 1;
    /// The tenant column unless another is declared.
    pub const DEFAULT_TENANT_COLUMN: &str = Config::DEFAULT_TENANT_COLUMN;
    /// The tenant setting unless another is declared.
    pub const DEFAULT_TENANT_SETTING: &str = Config::DEFAULT_TENANT_SETTING;

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
            known: Vec::new(),
            notes: Vec::new(),
            assumptions: Assumptions::default(),
            origin: Origin::default(),
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

    /// A report from its JSON; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where the text is none, or of another version.
    pub fn from_json(text: &str, name: &str) -> crate::Result<Self> {
        let report: Self = serde_json::from_str(text)
            .map_err(|cause| Error::input(format!("{name} is no JSON report")).caused_by(cause))?;
        if report.schema_version != Self::SCHEMA_VERSION {
            return Err(Error::input(format!(
                "{name} is a report of version {}, this version reads {}",
                report.schema_version,
                Self::SCHEMA_VERSION
            )));
        }
        Ok(report)
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
