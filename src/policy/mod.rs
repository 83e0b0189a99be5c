//! Policy files: `policies/<table>.sql` says all of a table's policies, as the wanted state.
//!
//! Applying a file drops the table's policies, runs the file, and keeps what came of it ([`TableState`]) in the
//! policies' own Refinery history. A changed file, and a table whose live state is no longer what its file produced
//! ([`Drift`]), becomes the history's next version. Reading drift takes no lock on any table.

mod apply;
mod drift;
mod file;
mod live;
mod plan;
mod state;

pub use drift::Drift;
pub use state::{PolicyState, TableState};

pub(crate) use apply::{ApplyPolicies, Step};
pub(crate) use file::PolicyFile;
pub(crate) use live::Live;
pub(crate) use plan::{PolicyEntry, PolicyPlan, plan};
