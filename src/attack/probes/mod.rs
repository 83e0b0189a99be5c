//! The probes, one folder each: what is tried, its page, a schema that it must break into and the same schema cured.
//!
//! A probe plans attempts for one door (a relation, a role, a command); it sends nothing itself. The folder is the
//! registration: `src/build.rs` lists them.

use super::attempt::Attempt;
use super::target::Target;
use crate::audit::Severity;
use crate::error::Result;

/// One kind of attack.
#[derive(Debug)]
pub(crate) struct Probe {
    /// What is wrong where it succeeds, behind the role's name: "reads rows of another tenant".
    pub(crate) summary: &'static str,
    /// How bad that is.
    pub(crate) severity: Severity,
    /// The way out.
    pub(crate) help: &'static str,
    /// The attempts on a door; none where the probe has nothing to try there.
    pub(crate) plan: fn(&Target<'_>) -> Result<Vec<Attempt>>,
}

/// A probe, its page and its fixtures.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The public name.
    pub(crate) name: &'static str,
    /// The probe.
    pub(crate) item: &'static Probe,
    /// README.md.
    pub(crate) page: &'static str,
    /// Schemas that it must break into, by file name.
    pub(crate) bad: &'static [(&'static str, &'static str)],
    /// The same, cured.
    pub(crate) good: &'static [(&'static str, &'static str)],
}

include!(concat!(env!("OUT_DIR"), "/probes.rs"));
