//! Where the database is and how to reach it: URL or key=value text, libpq's variables, one plain client.
//!
//! The wrapper for application code is [`session`](crate); this module hands out a raw client for the tool's own
//! work (migrating, auditing).

mod options;

pub use options::ConnectOptions;
