//! The room in which attacks happen: one transaction that cannot be committed, with time limits, where every attack
//! has a savepoint of its own and runs as the audited role.
//!
//! It knows nothing of tables or tenants; it sends texts and brings back what PostgreSQL said.

mod limits;
mod pipeline;
mod reply;
mod transaction;
mod trial;

pub use limits::Limits;
pub(crate) use reply::{Answer, Failure, Reply};
pub(crate) use transaction::{Sandbox, Standing, begin};
pub(crate) use trial::{Trace, Trial};
