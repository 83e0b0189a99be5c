//! One file a subcommand.

pub(crate) mod checks;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod matrix;
pub(crate) mod migrate;
pub(crate) mod schema;
pub(crate) mod test;
pub(crate) mod verify_isolation;
