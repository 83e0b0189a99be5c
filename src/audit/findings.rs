//! The sink that a check reports to: it knows the check's name and severity, so that no check says them twice.

use super::check::Entry;
use super::{Command, Evidence, Finding, Object, Severity};

/// What a finding is about.
#[derive(Debug)]
pub(crate) struct About<'a> {
    object: Object,
    role: Option<&'a str>,
    command: Option<Command>,
    part: &'a str,
    severity: Option<Severity>,
    door: Option<Object>,
    fix_sql: Option<String>,
    evidence: Option<Evidence>,
}

impl<'a> About<'a> {
    /// The object.
    pub(crate) fn new(object: Object) -> Self {
        Self {
            object,
            role: None,
            command: None,
            part: "",
            severity: None,
            door: None,
            fix_sql: None,
            evidence: None,
        }
    }

    /// The audited role that it concerns.
    pub(crate) fn by(mut self, role: &'a str) -> Self {
        self.role = Some(role);
        self
    }

    /// The command that it concerns.
    pub(crate) fn doing(mut self, command: Command) -> Self {
        self.command = Some(command);
        self
    }

    /// The policy, constraint or other part of the object that it concerns.
    pub(crate) fn part(mut self, part: &'a str) -> Self {
        self.part = part;
        self
    }

    /// The door, where it is not the object itself.
    pub(crate) fn through(mut self, door: Object) -> Self {
        self.door = Some(door);
        self
    }

    /// The SQL that mends it, where a machine can tell: whole statements, one a line.
    pub(crate) fn mended_by(mut self, sql: impl Into<String>) -> Self {
        self.fix_sql = Some(sql.into());
        self
    }

    /// What shows it, where it is not the catalog alone.
    pub(crate) fn shown_by(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// A severity other than the check's own.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

/// Where a check puts what it finds.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    entry: &'a Entry,
    list: &'a mut Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(entry: &'a Entry, list: &'a mut Vec<Finding>) -> Self {
        Self { entry, list }
    }

    /// Reports. `message` says what is wrong, in lower case and without final period; `help` what to do about it.
    pub(crate) fn add(&mut self, about: About<'_>, message: impl Into<String>, help: impl Into<String>) {
        let severity = about.severity.unwrap_or(self.entry.item.severity);
        let mut finding = Finding::new(
            self.entry.name,
            severity,
            about.object,
            about.role,
            about.command,
            about.part,
        )
        .saying(message, help);
        finding.door = about.door;
        finding.fix_sql = about.fix_sql;
        if let Some(evidence) = about.evidence {
            finding = finding.shown_by(evidence);
        }
        self.list.push(finding);
    }
}
