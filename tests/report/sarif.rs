//! SARIF against OASIS's own schema, and what GitHub's code scanning asks for beyond it.

use std::collections::BTreeSet;

use rls_tool::report::{Format, Style};
use serde_json::Value;

use crate::sample;

const SCHEMA: &str = include_str!("sarif-2.1.0.schema.json");

fn log() -> Value {
    serde_json::from_str(&sample().render(Format::Sarif, Style::Plain).unwrap()).unwrap()
}

#[test]
fn it_is_sarif() {
    // The pattern of a language has a bracket too many, which ECMAScript forgives.
    let schema = SCHEMA.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    assert_ne!(schema, SCHEMA);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let complaints: Vec<_> = validator
        .iter_errors(&log())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(complaints, [""; 0]);
    let mut broken = log();
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn every_result_has_a_rule_with_help_a_place_and_a_fingerprint() {
    let report = sample();
    let log = log();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(
        results.len(),
        report.findings.len() + report.known.len() + report.allowed.len()
    );
    for result in results {
        let rule = rules.iter().find(|rule| rule["id"] == result["ruleId"]).unwrap();
        assert!(
            rule["help"]["markdown"]
                .as_str()
                .unwrap()
                .contains("rls-tool explain")
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64() > Some(0), "{place}");
        assert!(place["artifactLocation"]["uri"].is_string());
    }
    let fingerprint = |result: &Value| result["partialFingerprints"]["rlsToolFinding/v1"].clone();
    let fingerprints: BTreeSet<_> = results
        .iter()
        .map(|result| fingerprint(result).to_string())
        .collect();
    assert_eq!(fingerprints.len(), results.len(), "the allowed one has none");
    assert_eq!(fingerprint(&results[0]), report.findings[0].fingerprint.as_str());
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "policies/invoices.sql"
    );
    assert_eq!(results.last().unwrap()["suppressions"][0]["kind"], "external");
}

#[test]
fn a_check_that_exists_brings_its_page() {
    let log = log();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let read = rules
        .iter()
        .find(|rule| rule["id"] == "cross-tenant-read")
        .unwrap();
    assert!(read["help"]["text"].as_str().unwrap().contains("## How to fix"));
    assert_eq!(read["properties"]["security-severity"], "8.0");
}
