//! The JSON contract: docs/report.schema.json describes what is written, all of it.

use rls_tool::audit::{Report, Verdict};
use rls_tool::report::{Format, Style};
use serde_json::Value;

use crate::{SAMPLE, sample};

const SCHEMA: &str = include_str!("../../docs/report.schema.json");

fn complaints(schema: &Value, report: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The schema with every object closed: what it does not describe is an error.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if map.get("properties").is_some_and(Value::is_object) && map.contains_key("type") {
                    map.insert("additionalProperties".to_owned(), false.into());
                }
                map.values_mut().for_each(close);
            }
            Value::Array(list) => list.iter_mut().for_each(close),
            _ => (),
        }
    }
    close(&mut schema);
    schema
}

#[test]
fn what_was_read_is_written_again() {
    assert_eq!(sample().render(Format::Json, Style::Coloured).unwrap(), SAMPLE);
}

#[test]
fn the_schema_describes_all_that_is_written() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let report: Value = serde_json::from_str(SAMPLE).unwrap();
    assert_eq!(complaints(&closed(schema), &report), [""; 0]);
}

#[test]
fn the_schema_refuses_what_breaks_the_contract() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let broken = |pointer: &str, value: Value| {
        let mut report: Value = serde_json::from_str(SAMPLE).unwrap();
        *report.pointer_mut(pointer).unwrap() = value;
        assert_ne!(complaints(&schema, &report), [""; 0], "{pointer}");
    };
    broken("/schema_version", 2.into());
    broken("/verdict", "fine".into());
    broken("/summary/leaks", (-1).into());
    broken("/findings/0/severity", "fatal".into());
    broken("/findings/0/fingerprint", "xyz".into());
    broken("/findings/0/location/line", 0.into());
    broken("/doors/0/verdict", "open".into());
    broken("/doors/0/command", "select".into());
    for (pointer, key) in [("", "doors"), ("/findings/0", "evidence"), ("/doors/0", "reason")] {
        let mut report: Value = serde_json::from_str(SAMPLE).unwrap();
        report
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key);
        assert_ne!(complaints(&schema, &report), [""; 0], "without {key}");
    }
    // Additions are allowed.
    let mut report: Value = serde_json::from_str(SAMPLE).unwrap();
    report["later"] = true.into();
    assert_eq!(complaints(&schema, &report), [""; 0]);
}

#[test]
fn a_report_of_the_first_version_is_still_read() {
    let old = r#"{ "schema_version": 1, "verdict": "isolated", "roles": ["app"], "tenant_setting": "app.current_tenant",
        "summary": { "tables": 1, "doors": 1, "proven": 0, "held": 1, "leaks": 0, "undecided": 0, "attacks_run": 9,
        "elapsed_ms": 1 }, "findings": [], "doors": [ { "object": "app.t", "kind": "table", "role": "app",
        "command": "SELECT", "verdict": "held", "reason": "9 attacks failed" } ] }"#;
    assert_eq!(
        Report::from_json(old, "old.json").unwrap().verdict,
        Verdict::Isolated
    );
    let newer = Report::from_json(&SAMPLE.replacen(": 1,", ": 2,", 1), "new.json").unwrap_err();
    assert!(
        newer.to_string().contains("new.json is a report of version 2"),
        "{newer}"
    );
    assert!(
        Report::from_json("[]", "x.json")
            .unwrap_err()
            .to_string()
            .contains("x.json is no JSON report")
    );
}
