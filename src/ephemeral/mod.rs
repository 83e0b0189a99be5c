//! Throwaway PostgreSQL servers: started in about a second, stopped and deleted when dropped.
//!
//! A [`Server`] listens on 127.0.0.1 only, trusts every login, and writes nothing to disk for safety's sake: it is for
//! demos and tests. Root is no obstacle: PostgreSQL then runs as an unprivileged user. However this process ends
//! (return, panic, SIGKILL), a watchdog process stops the server and deletes its data; what even the watchdog could
//! not delete, a power cut say, the next start removes.
//!
//! ```no_run
//! # async fn example() -> rls_tool::Result<()> {
//! use rls_tool::ephemeral::Server;
//!
//! let server = Server::start().await?;
//! let client = server.options().connect().await?;
//! client.batch_execute("create table t (id int)").await.unwrap();
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

mod binaries;
mod builder;
mod cluster;
#[cfg(feature = "docker")]
mod docker;
mod fetch;
mod process;
mod server;
mod source;
mod user;
mod watchdog;
mod workdir;

pub use builder::Builder;
pub use server::{Kept, Server};
pub use source::Source;
