//! What a check is, and the registry of all of them. The folder `src/checks/<name>` is the registration.

use std::fmt;

use super::Severity;
use super::context::Context;
use super::findings::Findings;
use crate::model::nearest;

/// A check: a pure function over the catalog and the model.
#[derive(Debug)]
pub struct Check {
    /// What is wrong where it finds something: a lowercase fragment.
    pub summary: &'static str,
    /// How bad its findings are, unless one says otherwise.
    pub severity: Severity,
    /// What it looks at.
    pub group: Group,
    /// The version that it came with.
    pub since: &'static str,
    /// Looks, and reports what it finds.
    pub(crate) run: fn(&Context<'_>, &mut Findings<'_>),
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Who the audited role is and what it can become.
    Roles,
    /// Whether row security is on at all.
    Enforcement,
    /// What the policies say.
    Policies,
    /// What was granted.
    Grants,
    /// Views, functions, triggers, rules.
    Code,
    /// Keys, constraints, sequences.
    Structure,
    /// Ways out of the database.
    Routing,
    /// Speed.
    Speed,
    /// What was declared and does not fit.
    Declarations,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Roles => "roles",
            Self::Enforcement => "enforcement",
            Self::Policies => "policies",
            Self::Grants => "grants",
            Self::Code => "code",
            Self::Structure => "structure",
            Self::Routing => "routing",
            Self::Speed => "speed",
            Self::Declarations => "declarations",
        })
    }
}

/// A check in the registry: with its page and its fixtures.
#[derive(Debug)]
pub struct Entry {
    /// Its name: the folder's, in kebab case.
    pub name: &'static str,
    /// The check.
    pub item: &'static Check,
    /// Its page, in Markdown.
    pub page: &'static str,
    /// Schemas that it must find fault with, by file name.
    pub bad: &'static [(&'static str, &'static str)],
    /// The same schemas mended, and near misses.
    pub good: &'static [(&'static str, &'static str)],
}

/// Every check, by name.
pub fn checks() -> &'static [Entry] {
    crate::checks::ALL
}

/// The check with this name.
pub fn check(name: &str) -> Option<&'static Entry> {
    checks().iter().find(|entry| entry.name == name)
}

/// Whether findings carry this name: a check's or an attack's.
///
/// # Errors
///
/// [`ErrorKind::Input`](crate::ErrorKind::Input) where none do, with the nearest name.
pub fn known(name: &str) -> crate::Result<()> {
    let names = || {
        let probes = crate::attack::probes().iter().map(|probe| probe.name);
        checks().iter().map(|entry| entry.name).chain(probes)
    };
    if names().any(|known| known == name) {
        return Ok(());
    }
    let error = crate::Error::input(format!("there is no check {name:?}"));
    Err(match nearest(name, names()) {
        Some(other) => error.with_help(format!("did you mean {other}?")),
        None => error.with_help("rls-tool checks lists them"),
    })
}

/// What `rls-tool explain` shows of a check or an attack.
#[derive(Debug, Clone)]
pub struct Page {
    /// What is wrong where it finds something: a lowercase fragment.
    pub summary: String,
    /// The page, in Markdown.
    pub text: &'static str,
    /// Schemas at fault, by file name.
    pub bad: &'static [(&'static str, &'static str)],
    /// The same, mended.
    pub good: &'static [(&'static str, &'static str)],
}

/// The page of the check or attack whose findings carry this name.
pub fn page(name: &str) -> Option<Page> {
    if let Some(entry) = check(name) {
        return Some(Page {
            summary: entry.item.summary.to_owned(),
            text: entry.page,
            bad: entry.bad,
            good: entry.good,
        });
    }
    let probe = crate::attack::probes().iter().find(|probe| probe.name == name)?;
    Some(Page {
        summary: format!("a role {}", probe.summary()),
        text: probe.page,
        bad: probe.bad,
        good: probe.good,
    })
}
