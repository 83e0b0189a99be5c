//! Reports from outside: every format of the one sample report against its golden file, and the published schemas.
//! Needs no server; what a browser makes of the HTML is tests/html_browser.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod config;
mod golden;
mod json;
mod sarif;

use rls_tool::audit::Report;

/// The sample that all renderers share; also the golden file of the JSON format.
const SAMPLE: &str = include_str!("sample.json");

fn sample() -> Report {
    Report::from_json(SAMPLE, "sample.json").unwrap()
}
