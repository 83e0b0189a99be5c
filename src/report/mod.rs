//! Rendering of reports: each format a pure function of [`Report`], in a file of its own. No renderer knows a
//! particular check.

mod format;
mod json;
#[cfg(test)]
mod sample;
mod text;
mod wrap;

pub use format::{Format, Style};

use crate::audit::Report;
use crate::error::{Error, ErrorKind, Result};

impl Report {
    /// The report in one of the formats, ending in a line break.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where the report cannot be rendered, which no report that an audit made is.
    pub fn render(&self, format: Format, style: Style) -> Result<String> {
        match format {
            Format::Text => text::render(self, style).map_err(|cause| {
                Error::new(ErrorKind::Internal, "failed to render the report as text").caused_by(cause)
            }),
            Format::Json => json::render(self),
        }
    }
}
