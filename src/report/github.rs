//! Annotations for GitHub Actions: workflow commands, one a line, on the policy or migration file where it is known.

use std::fmt::Write as _;

use super::words;
use super::wrap::tame;
use crate::audit::{Finding, Report, Severity};

/// GitHub shows so many annotations of a step; the rest is in the log.
pub(super) fn render(report: &Report) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for finding in &report.findings {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = format!("title={}", property(&title(finding)));
        if let Some(location) = &finding.location {
            properties = format!(
                "file={},line={},{properties}",
                property(&location.file),
                location.line
            );
        }
        let mut message = finding.message.clone();
        if !finding.help.is_empty() {
            message = format!("{message}\nhelp: {}", finding.help);
        }
        writeln!(out, "::{level} {properties}::{}", data(&message))?;
    }
    for note in &report.notes {
        writeln!(out, "::notice title=rls-tool::{}", data(note))?;
    }
    let level = if report.summary.undecided > 0 {
        "warning"
    } else {
        "notice"
    };
    let verdict = format!("{}. {}.", words::verdict(report.verdict), words::doors(report));
    writeln!(out, "::{level} title=tenant isolation::{}", data(&verdict))?;
    Ok(out)
}

fn title(finding: &Finding) -> String {
    let role = finding.role.iter().map(|role| format!(" ({role})"));
    format!("{} {}{}", finding.check, finding.object, role.collect::<String>())
}

/// What stands behind `::`. A line break in it must not start a command of its own.
fn data(text: &str) -> String {
    let tamed = tame(text, true);
    tamed.replace('%', "%25").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(&tame(text, false)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn a_name_cannot_start_a_command() {
        let mut report = sample();
        report.findings.truncate(1);
        report.findings[0].message = "x\r\n::set-env name=PATH::y\n::error::100%".to_owned();
        report.findings[0].check = "a\n::b, c".to_owned();
        let text = render(&report).unwrap();
        let mut lines = text.lines();
        let first = lines.next().unwrap();
        assert!(
            first.starts_with("::error file=policies/invoices.sql,line=7,title=a"),
            "{first}"
        );
        assert!(
            first.contains("%0A%3A%3A") || first.contains("\\u{a}%3A%3Ab%2C c"),
            "{first}"
        );
        assert!(first.contains("100%25"), "{first}");
        for line in lines {
            assert!(
                line.starts_with("::notice ") || line.starts_with("::warning title=tenant isolation"),
                "{line}"
            );
        }
    }
}
