//! The audit's vocabulary and engine: what a finding, a door and a report are, and how a run comes to one.
//!
//! Everything here is data; `checks` and `attack` produce it, `report` renders it.

mod door;
mod finding;
mod report;

pub use door::{Door, DoorKind, DoorVerdict};
pub use finding::{Command, Evidence, EvidenceKind, Finding, Object, Severity};
pub use report::{Report, Summary, Verdict};
