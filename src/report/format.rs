//! The names of the formats, and how text is dressed.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs (DESIGN, section 5): stable, additions only.
    Json,
    /// For people with a browser: one file, nothing loaded from elsewhere.
    #[cfg(feature = "formats")]
    Html,
    /// For a comment on a pull request.
    Markdown,
    /// For code scanning: SARIF 2.1.0.
    #[cfg(feature = "formats")]
    Sarif,
    /// For test dashboards: a case a door, passes included.
    #[cfg(feature = "formats")]
    Junit,
    /// For GitHub Actions' log: annotations.
    Github,
    /// For GitLab: its Code Quality report.
    Gitlab,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[
        Self::Text,
        Self::Json,
        #[cfg(feature = "formats")]
        Self::Html,
        Self::Markdown,
        #[cfg(feature = "formats")]
        Self::Sarif,
        #[cfg(feature = "formats")]
        Self::Junit,
        Self::Github,
        Self::Gitlab,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            #[cfg(feature = "formats")]
            Self::Html => "html",
            Self::Markdown => "markdown",
            #[cfg(feature = "formats")]
            Self::Sarif => "sarif",
            #[cfg(feature = "formats")]
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| Error::input(format!("there is no format {name:?}")))
    }
}

/// How text is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Letters only.
    #[default]
    Plain,
    /// With a terminal's colours.
    Coloured,
}
