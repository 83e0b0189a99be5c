//! JUnit XML for test dashboards: a suite a role, a case a door, passes included; what is about no door has a suite of
//! its own. An undecided door is a skipped case: shown, and never a pass.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::words;
use super::wrap::tame;
use crate::audit::{Door, DoorVerdict, Finding, Report, Severity};

pub(super) fn render(report: &Report) -> Result<String, SerializeError> {
    let mut junit = Junit::new("rls-tool verify-isolation");
    junit.set_time(Duration::from_millis(report.summary.elapsed_ms));
    for role in &report.roles {
        let mut suite = TestSuite::new(tame(role, false));
        for door in report.doors.iter().filter(|door| door.role == *role) {
            suite.add_test_case(case(report, door));
        }
        junit.add_test_suite(suite);
    }
    let mut suite = TestSuite::new("findings about no single door");
    for finding in report
        .findings
        .iter()
        .filter(|finding| is_about_no_door(report, finding))
    {
        suite.add_test_case(of_finding(finding));
    }
    if !suite.test_cases.is_empty() {
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

fn case(report: &Report, door: &Door) -> TestCase {
    let status = match door.verdict {
        DoorVerdict::Proven | DoorVerdict::Held => TestCaseStatus::success(),
        DoorVerdict::Undecided => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(tame(&format!("undecided: {}", door.reason), false));
            status
        }
        DoorVerdict::Leak => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("leak").set_message(tame(&door.reason, false));
            let causes = about(report, door).filter(|finding| finding.severity > Severity::Info);
            let details: Vec<_> = causes.map(details).collect();
            status.set_description(details.join("\n\n"));
            status
        }
    };
    let object = tame(&door.object.to_string(), false);
    let name = format!(
        "{} {object} ({})",
        door.command.as_sql(),
        words::door_kind(door.kind)
    );
    let mut case = TestCase::new(name, status);
    case.set_classname(object);
    if matches!(door.verdict, DoorVerdict::Proven | DoorVerdict::Held) {
        let reason = format!("{}: {}", words::door_verdict(door.verdict), door.reason);
        case.set_system_out(tame(&reason, false));
    }
    case
}

fn is_about_no_door(report: &Report, finding: &Finding) -> bool {
    let leaks = |door: &&Door| door.verdict == DoorVerdict::Leak;
    !report
        .doors
        .iter()
        .filter(leaks)
        .any(|door| about(report, door).any(|other| std::ptr::eq(other, finding)))
}

fn of_finding(finding: &Finding) -> TestCase {
    let status = if finding.severity == Severity::Error {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_type(finding.check.as_str())
            .set_message(tame(&finding.message, false));
        status.set_description(details(finding));
        status
    } else {
        TestCaseStatus::success()
    };
    let object = tame(&finding.object.to_string(), false);
    let mut case = TestCase::new(format!("{} {object}", finding.check), status);
    case.set_classname(object);
    if finding.severity != Severity::Error {
        case.set_system_out(format!(
            "{}: {}",
            words::severity(finding.severity),
            details(finding)
        ));
    }
    case
}

/// All that a reader of the dashboard needs.
fn details(finding: &Finding) -> String {
    let mut text = format!("{} {}: {}", finding.check, finding.object, finding.message);
    if !finding.help.is_empty() {
        text = format!("{text}\nhelp: {}", finding.help);
    }
    if let Some(sql) = &finding.evidence.exploit_sql {
        text = format!("{text}\nto see it, paste into psql:\n{sql}");
    } else if let Some(counterexample) = &finding.evidence.counterexample {
        text = format!("{text}\nseen: {counterexample}");
    }
    tame(&text, true)
}

/// The findings that speak about the door.
fn about<'a>(report: &'a Report, door: &'a Door) -> impl Iterator<Item = &'a Finding> {
    report.findings.iter().filter(move |finding| {
        finding.door.as_ref().unwrap_or(&finding.object) == &door.object
            && finding.role.as_deref().is_none_or(|role| role == door.role)
            && finding.command.is_none_or(|command| command == door.command)
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn every_door_is_a_case_and_no_undecided_one_passes() {
        let report = sample();
        let read = Junit::deserialize_from_str(&render(&report).unwrap()).unwrap();
        let cases = |suite: &TestSuite| suite.test_cases.len();
        let doors: usize = read.test_suites.iter().take(report.roles.len()).map(cases).sum();
        assert_eq!(doors, report.doors.len());
        assert_eq!(
            read.failures,
            report.summary.leaks + 1,
            "two doors and the role that escapes"
        );
        let skipped: usize = read.test_suites.iter().map(|suite| suite.skipped).sum();
        assert_eq!(skipped, report.summary.undecided);
    }
}
