//! SARIF 2.1.0 for code scanning: a rule a check with its page as help, a result a finding with a stable fingerprint.
//! The database's object is the logical location; GitHub wants a file too: the policy or migration where it is known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString, Notification,
    PhysicalLocation, PropertyBag, Region, ReportingConfiguration, ReportingDescriptor, Result as Found,
    ResultLevel, Run, Sarif, Suppression, Tool, ToolComponent,
};

use super::words;
use super::wrap::tame;
use crate::audit::{self, DoorVerdict, Finding, Object, Report, Severity};

/// The key of our fingerprints; a new way of making them gets a new key.
const FINGERPRINT: &str = "rlsToolFinding/v1";
/// Where a finding is shown that no file is known for.
const NOWHERE: &str = "rls.toml";
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(report: &Report) -> serde_json::Result<String> {
    let names: BTreeSet<&str> = report
        .findings
        .iter()
        .map(|finding| finding.check.as_str())
        .chain(report.allowed.iter().map(|allowed| allowed.check.as_str()))
        .chain(report.known.iter().map(|known| known.check.as_str()))
        .collect();
    let driver = ToolComponent::builder()
        .name("rls-tool")
        .version(report.origin.tool_version.clone())
        .rules(names.iter().map(|name| rule(report, name)).collect::<Vec<_>>())
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .invocations(vec![invocation(report)])
        .results(results(report))
        .column_kind(json!("unicodeCodePoints"))
        .properties(bag(&[
            ("verdict", json!(report.verdict)),
            ("summary", json!(report.summary)),
            ("roles", json!(report.roles)),
        ]))
        .build();
    let log = Sarif::builder()
        .schema(SCHEMA)
        .version(json!("2.1.0"))
        .runs(vec![run])
        .build();
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn rule(report: &Report, name: &str) -> ReportingDescriptor {
    let worst = report
        .findings
        .iter()
        .filter(|finding| finding.check == name)
        .map(|finding| finding.severity)
        .max();
    let severity = worst.unwrap_or(Severity::Info);
    let page = audit::page(name);
    let summary = page
        .as_ref()
        .map_or_else(|| name.to_owned(), |page| page.summary.clone());
    let text = page.map_or("", |page| page.text);
    // GitHub's scale: 7.0 and more is high, 4.0 and more medium.
    let score = match severity {
        Severity::Error => "8.0",
        Severity::Warning => "5.0",
        Severity::Info => "1.0",
    };
    ReportingDescriptor::builder()
        .id(name)
        .name(name)
        .short_description(message_string(&summary))
        .full_description(message_string(
            text.split("\n\n")
                .next()
                .filter(|first| !first.is_empty())
                .unwrap_or(&summary),
        ))
        .help(
            MultiformatMessageString::builder()
                .text(format!("rls-tool explain {name}\n\n{text}"))
                .markdown(format!(
                    "`rls-tool explain {name}` shows this with examples.\n\n{text}"
                ))
                .build(),
        )
        .default_configuration(
            ReportingConfiguration::builder()
                .level(json!(level(severity)))
                .build(),
        )
        .properties(
            PropertyBag::builder()
                .tags(vec!["security".to_owned(), "row-level-security".to_owned()])
                .additional_properties(BTreeMap::from([("security-severity".to_owned(), json!(score))]))
                .build(),
        )
        .build()
}

fn results(report: &Report) -> Vec<Found> {
    let findings = report.findings.iter().map(of_finding);
    let known = report.known.iter().map(|known| {
        Found::builder()
            .rule_id(known.check.clone())
            .level(result_level(known.severity))
            .message(message("known to the baseline"))
            .locations(vec![location(&known.object, None)])
            .partial_fingerprints(BTreeMap::from([(
                FINGERPRINT.to_owned(),
                known.fingerprint.clone(),
            )]))
            .baseline_state(json!("unchanged"))
            .build()
    });
    let allowed = report.allowed.iter().map(|allowed| {
        let suppression = Suppression::builder()
            .kind(json!("external"))
            .justification(tame(&allowed.reason, false))
            .build();
        Found::builder()
            .rule_id(allowed.check.clone())
            .level(ResultLevel::Note)
            .message(message("allowed by rls.toml"))
            .locations(vec![location(&allowed.object, None)])
            .suppressions(vec![suppression])
            .build()
    });
    findings.chain(known).chain(allowed).collect()
}

fn of_finding(finding: &Finding) -> Found {
    let mut text = format!("{}: {}", finding.object, finding.message);
    if !finding.help.is_empty() {
        text = format!("{text}\nhelp: {}", finding.help);
    }
    if let Some(sql) = &finding.evidence.exploit_sql {
        text = format!("{text}\nto see it, paste into psql:\n{sql}");
    }
    Found::builder()
        .rule_id(finding.check.clone())
        .level(result_level(finding.severity))
        .message(message(&text))
        .locations(vec![location(&finding.object, finding.location.as_ref())])
        .partial_fingerprints(BTreeMap::from([(
            FINGERPRINT.to_owned(),
            finding.fingerprint.clone(),
        )]))
        .properties(bag(&[
            ("role", json!(finding.role)),
            ("command", json!(finding.command)),
            ("door", json!(finding.door)),
            ("evidence", json!(finding.evidence)),
            ("fixSql", json!(finding.fix_sql)),
        ]))
        .build()
}

fn location(object: &Object, file: Option<&audit::Location>) -> Location {
    let name = tame(&object.to_string(), false);
    let kind = match object {
        Object::InSchema { .. } => "object",
        _ => "resource",
    };
    let physical = PhysicalLocation::builder()
        .artifact_location(
            ArtifactLocation::builder()
                .uri(uri(file.map_or(NOWHERE, |file| &file.file)))
                .build(),
        )
        .region(
            Region::builder()
                .start_line(i64::try_from(file.map_or(1, |file| file.line)).unwrap_or(1))
                .build(),
        )
        .build();
    Location::builder()
        .physical_location(physical)
        .logical_locations(vec![
            LogicalLocation::builder()
                .fully_qualified_name(name)
                .kind(kind)
                .build(),
        ])
        .build()
}

fn invocation(report: &Report) -> Invocation {
    let notes = report.notes.iter().map(|note| tame(note, false));
    let undecided = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided)
        .map(|door| {
            let text = format!(
                "undecided: {} {} {}: {}",
                door.role,
                door.command.as_sql(),
                door.object,
                door.reason
            );
            tame(&text, false)
        });
    let notifications: Vec<_> = notes
        .chain(undecided)
        .map(|text| {
            Notification::builder()
                .level(json!("note"))
                .message(message(&text))
                .build()
        })
        .collect();
    let mut invocation = Invocation::builder()
        .execution_successful(true)
        .tool_execution_notifications(notifications)
        .build();
    invocation.end_time_utc.clone_from(&report.origin.audited_at);
    invocation
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error | Severity::Warning => words::severity(severity),
        Severity::Info => "note",
    }
}

fn result_level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Error => ResultLevel::Error,
        Severity::Warning => ResultLevel::Warning,
        Severity::Info => ResultLevel::Note,
    }
}

fn message(text: &str) -> Message {
    // Braces hold placeholders in SARIF's messages.
    let text = tame(text, true).replace('{', "{{").replace('}', "}}");
    Message::builder().text(text).build()
}

fn message_string(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

fn bag(entries: &[(&str, Value)]) -> PropertyBag {
    let entries = entries.iter().filter(|(_, value)| !value.is_null());
    let map: BTreeMap<_, _> = entries
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    PropertyBag::builder().additional_properties(map).build()
}

/// A relative path as a URI.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let parts = path.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("policies/invoices.sql"), "policies/invoices.sql");
        assert_eq!(uri("a b/ü#?.sql"), "a%20b/%C3%BC%23%3F.sql");
    }
}
