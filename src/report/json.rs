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
