//! Words that several formats share, and what belongs together in a report.

use crate::audit::{DoorKind, DoorVerdict, EvidenceKind, Finding, Report, Severity, Verdict};

/// `1 door`, `2 doors`.
pub(super) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Isolated => "ISOLATED",
        Verdict::Leaking => "LEAKING",
        Verdict::Undecided => "UNDECIDED",
    }
}

pub(super) fn door_verdict(verdict: DoorVerdict) -> &'static str {
    match verdict {
        DoorVerdict::Proven => "proven",
        DoorVerdict::Held => "held",
        DoorVerdict::Undecided => "undecided",
        DoorVerdict::Leak => "leak",
    }
}

pub(super) fn door_kind(kind: DoorKind) -> &'static str {
    match kind {
        DoorKind::Table => "table",
        DoorKind::Partition => "partition",
        DoorKind::View => "view",
        DoorKind::MaterializedView => "materialized view",
        DoorKind::ForeignTable => "foreign table",
        DoorKind::Function => "function",
        DoorKind::Trigger => "trigger",
        DoorKind::Rule => "rule",
        DoorKind::Sequence => "sequence",
        DoorKind::Role => "role",
    }
}

/// How the doors stand, in one sentence without its period.
pub(super) fn doors(report: &Report) -> String {
    let summary = &report.summary;
    format!(
        "{}: {} proven, {} held, {}, {} undecided",
        count(summary.doors, "door"),
        summary.proven,
        summary.held,
        count(summary.leaks, "leak"),
        summary.undecided
    )
}

/// Whether the finding is what an attack led to, rather than the reason why it could.
pub(super) fn is_attack(finding: &Finding) -> bool {
    finding.evidence.kind == EvidenceKind::Attack
}

/// What to do next; empty where there is nothing to do.
pub(super) fn next_step(report: &Report) -> String {
    // The reason says more about what to mend than the attacks that it made possible.
    let serious = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning);
    let worst = serious.min_by_key(|finding| (std::cmp::Reverse(finding.severity), is_attack(finding)));
    let mendable = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning && finding.fix_sql.is_some())
        .count();
    match (report.verdict, worst) {
        (Verdict::Undecided, None) => "nothing was verified: see why above".to_owned(),
        (_, Some(finding)) => {
            let fix = match mendable {
                0 => String::new(),
                _ => format!("; rls-tool fix prints the SQL for {mendable}"),
            };
            format!("rls-tool explain {}{fix}", finding.check)
        }
        (Verdict::Leaking, None) if !report.known.is_empty() => {
            "nothing is new; what the baseline knows still leaks".to_owned()
        }
        _ if report.summary.undecided > 0 => "look at the undecided doors".to_owned(),
        _ => String::new(),
    }
}
