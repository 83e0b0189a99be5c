//! A door: any way from an audited role to a tenant-scoped row, and what is known about it.

use serde::{Deserialize, Serialize};

use super::finding::{Command, Object};

/// What sort of object the door is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DoorKind {
    /// An ordinary or partitioned table.
    Table,
    /// A partition or an inheritance child that can be named directly.
    Partition,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
    /// A function or procedure.
    Function,
    /// A trigger.
    Trigger,
    /// A rule.
    Rule,
    /// A sequence.
    Sequence,
    /// A role that the audited role can become.
    Role,
}

/// What is known about a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DoorVerdict {
    /// The policies' expressions imply the border.
    Proven,
    /// Attacks were run and all failed.
    Held,
    /// Neither proven nor attacked.
    Undecided,
    /// An attack worked, or a counterexample exists.
    Leak,
}

/// One role, one object, one command, and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The object.
    pub object: Object,
    /// Its kind.
    pub kind: DoorKind,
    /// The audited role.
    pub role: String,
    /// What the role does there.
    pub command: Command,
    /// What is known.
    pub verdict: DoorVerdict,
    /// Why: the proof in words, the attacks that failed, or what stopped the examination.
    pub reason: String,
}
