//! JUnit XML: a suite a file, a case a test.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::run::TestRun;
use crate::error::{Error, ErrorKind, Result};

impl TestRun {
    /// The run as JUnit XML.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] where it cannot be rendered, which no run is.
    pub fn junit(&self) -> Result<String> {
        let mut report = Report::new("rls-tool test");
        report.set_time(self.tests.iter().map(|test| test.elapsed).sum());
        let mut files: Vec<&str> = self.tests.iter().map(|test| test.file.as_str()).collect();
        files.dedup();
        for file in files {
            let mut suite = TestSuite::new(file);
            for test in self.tests.iter().filter(|test| test.file == file) {
                let status = match &test.failure {
                    None => TestCaseStatus::success(),
                    Some(failure) => {
                        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                        status
                            .set_type("isolation")
                            .set_message(failure.lines().next().unwrap_or_default())
                            .set_description(format!("{file}:{}\n{failure}", test.line));
                        status
                    }
                };
                let mut case = TestCase::new(test.name.as_str(), status);
                case.set_classname(file).set_time(test.elapsed);
                suite.add_test_case(case);
            }
            report.add_test_suite(suite);
        }
        report
            .to_string()
            .map_err(|cause| Error::new(ErrorKind::Internal, "failed to write JUnit XML").caused_by(cause))
    }
}
