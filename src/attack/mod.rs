//! Attacks: two tenants' rows in every table, and then everything that a malicious tenant would try.
//!
//! All of it happens in one transaction that cannot be committed (`sandbox`), over rows made for the purpose (`rows`).
//! `probes` plan what is tried at a door, `attempt` judges what came of it, `evidence` turns what worked into findings
//! with scripts that have been run once more. What could not be tried is undecided, never fine.

#[cfg(feature = "testing")]
mod actors;
mod attempt;
mod control;
mod doors;
mod effects;
mod evidence;
#[cfg(feature = "testing")]
mod fill;
mod look;
mod marks;
mod moves;
mod options;
mod outcome;
mod probes;
mod routine;
mod rows;
mod run;
mod sandbox;
mod script;
mod session;
mod settings;
mod stage;
mod structure;
mod target;
mod worlds;

#[cfg(feature = "testing")]
pub(crate) use actors::Actors;
#[cfg(feature = "testing")]
pub(crate) use fill::fill;
pub use options::Options;
pub use outcome::Outcome;
pub use probes::{Entry as Probe, all as probes};
pub use run::{run, run_within};
pub use sandbox::Limits;
#[cfg(feature = "testing")]
pub(crate) use sandbox::{Answer, Reply};
