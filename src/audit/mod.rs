//! The audit's vocabulary and engine: what a finding, a door and a report are, and how a run comes to one.
//!
//! `checks` and `attack` find; `report` renders.

mod allowances;
mod assumptions;
mod bodies;
mod check;
mod context;
mod door;
mod finding;
mod findings;
mod report;
mod run;
mod verdicts;

pub use assumptions::{Assumed, Assumptions, Origin};
pub use check::{Check, Entry, Group, Page, check, checks, known, page};
pub use door::{Door, DoorKind, DoorVerdict};
pub use finding::{Command, Evidence, EvidenceKind, Finding, Location, Object, Severity};
pub use report::{Allowed, Known, Report, Summary, Verdict};
pub use run::{AttackMode, Audit};

pub(crate) use bodies::{Bodies, Body};
pub(crate) use context::{Applied, Context, Held, Rows, policy_command};
pub(crate) use findings::{About, Findings};
