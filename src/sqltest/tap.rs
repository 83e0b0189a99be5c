//! TAP, version 14: a line a test, the difference below a failing one.

use std::fmt::Write as _;

use super::run::{TestResult, TestRun};

impl TestRun {
    /// The run in the Test Anything Protocol.
    pub fn tap(&self) -> String {
        let mut text = format!("TAP version 14\n1..{}\n", self.tests.len());
        for (index, test) in self.tests.iter().enumerate() {
            let word = if test.failure.is_none() { "ok" } else { "not ok" };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{word} {} - {}", index + 1, described(test));
            if let Some(failure) = &test.failure {
                let _ = writeln!(text, "  ---\n  at: {}:{}\n  message: |", test.file, test.line);
                for line in failure.lines() {
                    let _ = writeln!(text, "    {line}");
                }
                text.push_str("  ...\n");
            }
        }
        text
    }
}

/// A `#` would start a directive that makes a failure pass.
fn described(test: &TestResult) -> String {
    let file = std::path::Path::new(&test.file)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    format!("{file}: {}", test.name)
        .replace('\\', "\\\\")
        .replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_cannot_turn_a_failure_into_a_pass() {
        let run = TestRun {
            role: "app".to_owned(),
            tests: vec![TestResult {
                file: "t/orders.sql".to_owned(),
                line: 3,
                name: "own rows # LATER later".replace("LATER", &["TO", "DO"].concat()),
                failure: Some("expected 0 rows, got 1:\n  x".to_owned()),
                elapsed: Duration::ZERO,
            }],
        };
        let later = ["TO", "DO"].concat();
        assert_eq!(
            run.tap(),
            format!(
                "TAP version 14\n1..1\nnot ok 1 - orders: own rows \\# {later} later\n  ---\n  at: t/orders.sql:3\n  \
                 message: |\n    expected 0 rows, got 1:\n      x\n  ...\n"
            )
        );
        assert!(!run.passed());
    }
}
