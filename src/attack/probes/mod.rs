//! The probes, one folder each: what is tried, its page, a schema that it must break into and the same schema cured.
//!
//! A probe plans attempts for one door (a relation, a role, a command); it sends nothing itself. The folder is the
//! registration: `src/build.rs` lists them.

use super::attempt::Attempt;
use super::effects::Effects;
use super::look::Look;
use super::routine::Routine;
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
    /// The attempts on rows of a table, under its own name or another; none where there is nothing to try.
    pub(crate) plan: fn(&Target<'_>) -> Result<Vec<Attempt>>,
    /// The attempts on a query that somebody else wrote: a view.
    pub(crate) look: fn(&Look<'_>) -> Result<Vec<Attempt>>,
    /// The attempts on a function or procedure.
    pub(crate) call: fn(&Routine<'_>) -> Result<Vec<Attempt>>,
    /// The attempts on a write that carries a trigger or a rule with it.
    pub(crate) write: fn(&Effects<'_>) -> Result<Vec<Attempt>>,
}

/// A probe that tries nothing: what the others leave out.
pub(crate) const NOTHING: Probe = Probe {
    summary: "",
    severity: Severity::Error,
    help: "",
    plan: |_| Ok(Vec::new()),
    look: |_| Ok(Vec::new()),
    call: |_| Ok(Vec::new()),
    write: |_| Ok(Vec::new()),
};

/// A probe with its page and its fixtures.
#[derive(Debug)]
pub struct Entry {
    /// The name that findings carry.
    pub name: &'static str,
    pub(crate) item: &'static Probe,
    /// Its page, as Markdown.
    pub page: &'static str,
    /// Schemas that it must break into, by file name.
    pub bad: &'static [(&'static str, &'static str)],
    /// The same, cured.
    pub good: &'static [(&'static str, &'static str)],
}

impl Entry {
    /// What is wrong where it succeeds, behind the role's name.
    pub fn summary(&self) -> &'static str {
        self.item.summary
    }
}

/// The probe with this name.
///
/// # Panics
///
/// Where there is none: names are written down in this folder.
pub(crate) fn named(name: &str) -> &'static Entry {
    ALL.iter()
        .find(|entry| entry.name == name)
        .expect("the name of a folder beside this file")
}

/// Every probe, by name.
pub fn all() -> &'static [Entry] {
    ALL
}

include!(concat!(env!("OUT_DIR"), "/probes.rs"));
