//! Rendering of reports: each format a pure function of [`Report`], in a file of its own. No renderer knows a
//! particular check.

mod again;
mod format;
mod github;
mod gitlab;
#[cfg(feature = "formats")]
mod html;
mod json;
#[cfg(feature = "formats")]
mod junit;
mod markdown;
mod matrix;
#[cfg(test)]
mod sample;
#[cfg(feature = "formats")]
mod sarif;
mod text;
mod words;
mod wrap;

pub use format::{Format, Style};
pub use matrix::{Matrix, MatrixFormat};

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
            Format::Text => text::render(self, style).map_err(|cause| failed(format, cause)),
            Format::Json => json::render(self),
            #[cfg(feature = "formats")]
            Format::Html => html::render(self).map_err(|cause| failed(format, cause)),
            Format::Markdown => markdown::render(self).map_err(|cause| failed(format, cause)),
            #[cfg(feature = "formats")]
            Format::Sarif => sarif::render(self).map_err(|cause| failed(format, cause)),
            #[cfg(feature = "formats")]
            Format::Junit => junit::render(self).map_err(|cause| failed(format, cause)),
            Format::Github => github::render(self).map_err(|cause| failed(format, cause)),
            Format::Gitlab => gitlab::render(self).map_err(|cause| failed(format, cause)),
        }
    }
}

fn failed(format: Format, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("failed to render the report as {format}"),
    )
    .caused_by(cause)
}
