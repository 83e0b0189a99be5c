//! GitLab's Code Quality report: a list of issues, of which a merge request shows the new ones by fingerprint.

use serde::Serialize;

use super::wrap::tame;
use crate::audit::{Report, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// Where a finding is shown that no file is known for; GitLab wants one.
const NOWHERE: &str = "rls.toml";

pub(super) fn render(report: &Report) -> serde_json::Result<String> {
    let issues: Vec<_> = report
        .findings
        .iter()
        .map(|finding| Issue {
            description: tame(&format!("{}: {}", finding.object, finding.message), false),
            check_name: &finding.check,
            fingerprint: &finding.fingerprint,
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            location: Location {
                path: finding
                    .location
                    .as_ref()
                    .map_or(NOWHERE, |location| &location.file),
                lines: Lines {
                    begin: finding.location.as_ref().map_or(1, |location| location.line),
                },
            },
        })
        .collect();
    Ok(serde_json::to_string_pretty(&issues)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn every_finding_has_a_place_and_a_fingerprint_of_its_own() {
        let report = sample();
        let issues: Vec<serde_json::Value> = serde_json::from_str(&render(&report).unwrap()).unwrap();
        assert_eq!(issues.len(), report.findings.len());
        let fingerprints: std::collections::BTreeSet<_> = issues
            .iter()
            .map(|issue| issue["fingerprint"].to_string())
            .collect();
        assert_eq!(fingerprints.len(), issues.len());
        assert_eq!(issues[0]["location"]["path"], "policies/invoices.sql");
        assert_eq!(issues[0]["location"]["lines"]["begin"], 7);
        assert!(
            issues
                .iter()
                .all(|issue| issue["location"]["lines"]["begin"].as_u64() > Some(0))
        );
    }
}
