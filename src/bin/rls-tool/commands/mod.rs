//! One file a subcommand.

pub(crate) mod checks;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod migrate;
pub(crate) mod verify_isolation;
