//! The audit's vocabulary and engine: what a finding, a door and a report are, and how a run comes to one.
//!
//! `checks` and `attack` find; `report` renders.

mod allowances;
mod assumptions;
mod baseline;
mod bodies;
mod check;
mod context;
mod diff;
mod door;
mod finding;
mod findings;
mod locate;
mod mutants;
mod proofs;
mod report;
mod run;
mod self_test;
#[cfg(feature = "ephemeral")]
mod twin;
mod verdicts;

pub use assumptions::{Assumed, Assumptions, Origin};
pub use baseline::Baseline;
pub use check::{Check, Entry, Group, Page, check, checks, known, page};
pub use diff::{Change, Comparison};
pub use door::{Door, DoorKind, DoorVerdict};
pub use finding::{Command, Evidence, EvidenceKind, Finding, Location, Object, Severity};
pub use report::{Allowed, Known, Report, Summary, Verdict};
pub use run::{AttackMode, Audit};
pub use self_test::{Fate, Mutant, SelfTest};

pub(crate) use bodies::{Bodies, Body};
pub(crate) use context::{Applied, Context, Held, Rows, policy_command};
pub(crate) use findings::{About, Findings};
pub(crate) use proofs::{Decision, Proofs};
