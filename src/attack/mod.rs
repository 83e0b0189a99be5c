//! Attacks: two tenants' rows in every table, and then everything that a malicious tenant would try.
//!
//! All of it happens in one transaction that cannot be committed (`sandbox`), over rows made for the purpose (`rows`).
//! `probes` plan what is tried at a door, `attempt` judges what came of it, `evidence` turns what worked into findings
//! with scripts that have been run once more. What could not be tried is undecided, never fine.

mod attempt;
mod control;
mod doors;
mod evidence;
mod moves;
mod options;
mod outcome;
mod probes;
mod rows;
mod run;
mod sandbox;
mod scene;
mod script;
mod session;
mod target;

pub(crate) use options::Options;
pub(crate) use outcome::Outcome;
pub(crate) use run::run;
#[cfg(test)]
