//! Findings that are known already: an audit that is to fail on new ones only takes them out of the list, by
//! fingerprint. A JSON report serves as a baseline; the short form written here is kinder to version control.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::{Known, Report};
use crate::error::{Error, Result};

/// The findings known so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<String, Known>);

/// The file's form; of a JSON report only the findings and the known ones are read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    baseline_version: Option<u32>,
    schema_version: Option<u32>,
    #[serde(default)]
    known: Vec<Known>,
    #[serde(default, skip_serializing)]
    findings: Vec<Known>,
}

impl Baseline {
    const VERSION: u32 = 1;

    /// What a report found, and what its own baseline knew.
    pub fn of(report: &Report) -> Self {
        let found = report.findings.iter().map(|finding| Known {
            fingerprint: finding.fingerprint.clone(),
            check: finding.check.clone(),
            object: finding.object.clone(),
            severity: finding.severity,
        });
        Self::new(found.chain(report.known.iter().cloned()))
    }

    fn new(known: impl Iterator<Item = Known>) -> Self {
        Self(known.map(|known| (known.fingerprint.clone(), known)).collect())
    }

    /// A saved baseline, or a JSON report; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) where the text is neither.
    pub fn from_json(text: &str, name: &str) -> Result<Self> {
        let file: File = serde_json::from_str(text)
            .map_err(|cause| Error::input(format!("{name} is no baseline")).caused_by(cause))?;
        if file.baseline_version != Some(Self::VERSION) && file.schema_version != Some(Report::SCHEMA_VERSION)
        {
            return Err(Error::input(format!(
                "{name} is neither a baseline nor a JSON report of this version"
            ))
            .with_help("verify-isolation --save-baseline FILE writes one"));
        }
        Ok(Self::new(file.known.into_iter().chain(file.findings)))
    }

    /// The baseline as it is saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it cannot be written as JSON, which none is.
    pub fn to_json(&self) -> Result<String> {
        let file = File {
            baseline_version: Some(Self::VERSION),
            known: self.0.values().cloned().collect(),
            ..File::default()
        };
        let text = serde_json::to_string_pretty(&file).map_err(|cause| {
            Error::new(crate::ErrorKind::Internal, "failed to write the baseline as JSON").caused_by(cause)
        })?;
        Ok(text + "\n")
    }

    /// How many findings it knows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Report {
    /// Moves the findings that the baseline knows out of the list, and notes those that it knows and that are gone. A
    /// finding that became worse is new. The doors' verdicts, and with them the report's, stay as they are.
    pub fn apply_baseline(&mut self, baseline: &Baseline) {
        let mut gone = baseline.0.clone();
        self.findings.retain(|finding| {
            let Some(known) = baseline.0.get(&finding.fingerprint) else {
                return true;
            };
            gone.remove(&finding.fingerprint);
            if finding.severity > known.severity {
                return true;
            }
            self.known.push(Known {
                severity: finding.severity,
                ..known.clone()
            });
            false
        });
        for known in gone.values() {
            self.notes.push(format!(
                "the baseline knows {} on {} ({}), which is not found any more: take it out, or write the baseline anew",
                known.check, known.object, known.fingerprint
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Finding, Severity, Summary};
    use super::*;

    fn report(findings: &[(&str, Severity)]) -> Report {
        let counted = Summary::default();
        Report::new(
            vec!["app".to_owned()],
            "app.t".to_owned(),
            Finding::samples(findings),
            Vec::new(),
            counted,
        )
    }

    #[test]
    fn only_new_and_worse_findings_stay_and_stale_entries_are_told() {
        let old = report(&[
            ("a", Severity::Error),
            ("b", Severity::Warning),
            ("gone", Severity::Error),
        ]);
        let saved = Baseline::of(&old).to_json().unwrap();
        let baseline = Baseline::from_json(&saved, "b.json").unwrap();
        assert_eq!(baseline, Baseline::of(&old));
        let mut new = report(&[
            ("a", Severity::Error),
            ("b", Severity::Error),
            ("c", Severity::Info),
        ]);
        new.apply_baseline(&baseline);
        let left: Vec<_> = new
            .findings
            .iter()
            .map(|finding| finding.object.to_string())
            .collect();
        assert_eq!(left, ["app.b", "app.c"], "b became worse");
        assert_eq!(new.known.len(), 1);
        assert!(
            new.notes.len() == 1 && new.notes[0].contains("app.gone"),
            "{:?}",
            new.notes
        );
        // Written anew, it keeps what it knew before and what is new.
        assert_eq!(Baseline::of(&new).len(), 3);
    }

    #[test]
    fn a_json_report_serves_and_other_files_are_refused() {
        let old = report(&[("a", Severity::Error)]);
        let json = serde_json::to_string(&old).unwrap();
        assert_eq!(Baseline::from_json(&json, "r.json").unwrap(), Baseline::of(&old));
        for text in ["{}", "[]", "", "{\"baseline_version\": 2}", "{\"known\": []}"] {
            assert!(Baseline::from_json(text, "r.json").is_err(), "{text}");
        }
    }
}
