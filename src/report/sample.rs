//! The one report that every renderer is tested on: each severity, each verdict, hostile names, an exploit. It is also
//! the golden file of the JSON format.

use crate::audit::Report;

pub(super) fn sample() -> Report {
    Report::from_json(include_str!("../../tests/report/sample.json"), "sample.json").unwrap()
}
