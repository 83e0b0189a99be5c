//! JSON: the report as it is, for programs. Its shape is a contract (DESIGN, section 5).

use crate::audit::Report;
use crate::error::{Error, Result};

pub(super) fn render(report: &Report) -> Result<String> {
    let mut text = serde_json::to_string_pretty(report).map_err(|cause| {
        Error::new(crate::ErrorKind::Internal, "failed to render the report as JSON").caused_by(cause)
    })?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::sample::sample;
    use super::render;

    #[test]
    fn every_field_of_the_contract_is_there() {
        let report: Value = serde_json::from_str(&render(&sample()).unwrap()).unwrap();
        let keys = |value: &Value| {
            let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        let has = |value: &Value, wanted: &[&str]| {
            let keys = keys(value);
            for key in wanted {
                assert!(
                    keys.iter().any(|known| known == key),
                    "{key} is missing in {keys:?}"
                );
            }
        };
        has(
            &report,
            &[
                "schema_version",
                "verdict",
                "roles",
                "tenant_setting",
                "summary",
                "findings",
                "doors",
            ],
        );
        has(
            &report["summary"],
            &[
                "tables",
                "doors",
                "proven",
                "held",
                "leaks",
                "undecided",
                "attacks_run",
                "elapsed_ms",
            ],
        );
        for finding in report["findings"].as_array().unwrap() {
            has(
                finding,
                &[
                    "check",
                    "severity",
                    "object",
                    "role",
                    "command",
                    "message",
                    "help",
                    "evidence",
                    "fingerprint",
                ],
            );
            has(&finding["evidence"], &["kind", "counterexample", "exploit_sql"]);
        }
        for door in report["doors"].as_array().unwrap() {
            has(door, &["object", "kind", "role", "command", "verdict", "reason"]);
        }
        assert_eq!(report["schema_version"], 1);
        assert_eq!(report["verdict"], "leaking");
        assert_eq!(report["findings"][0]["severity"], "error");
        assert_eq!(report["findings"][0]["evidence"]["kind"], "attack");
        assert_eq!(report["findings"][0]["command"], "SELECT");
        assert_eq!(report["findings"][2]["object"], "role:app");
        assert_eq!(report["findings"][2]["command"], Value::Null);
        assert_eq!(report["doors"][0]["verdict"], "proven");
        assert_eq!(report["summary"]["undecided"], 1);
    }

    #[test]
    fn json_looks_like_this() {
        insta::assert_snapshot!(render(&sample()).unwrap());
    }
}
