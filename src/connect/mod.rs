//! Where the database is and how to reach it: URL or key=value text, libpq's variables, service and password files,
//! TLS, and one plain client.
//!
//! What libpq understands works here with the same meaning: `PGHOST` and its sisters, `PGPASSFILE` and `~/.pgpass`,
//! `PGSERVICE` and `pg_service.conf`, `sslmode` from `disable` to `verify-full`. What is not supported and would make a
//! connection less safe when ignored (`sslcrl`, `require_auth`, …) is refused by name.
//!
//! Application code should not use the raw client that [`ConnectOptions::connect`] hands out: it is for the tool's own
//! work (migrating, auditing). Tenants' rows are reached through the session.

mod error;
mod open;
mod options;
mod parameters;
mod passfile;
mod service;
mod text;
mod tls;
#[cfg(feature = "tls")]
mod verifier;

pub use options::ConnectOptions;
pub use tls::TlsMode;
