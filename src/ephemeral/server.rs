//! The handle of a running throwaway server.

use super::builder::Builder;
use super::cluster::Cluster;
#[cfg(feature = "docker")]
use super::docker::Container;
use crate::connect::ConnectOptions;
use crate::error::Result;

/// A running throwaway server. Dropping it stops the server and deletes its data; that blocks for a moment, so in
/// asynchronous code prefer [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    pub(super) options: ConnectOptions,
    pub(super) version: u32,
    pub(super) origin: String,
    pub(super) backend: Backend,
}

/// What runs the server; dropping it stops and deletes.
#[derive(Debug)]
pub(super) enum Backend {
    Cluster(Cluster),
    #[cfg(feature = "docker")]
    Container(Container),
}

/// A server that outlives this process. Made by [`Server::keep`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Kept {
    /// How to reach it as superuser.
    pub url: String,
    /// The shell command that stops it; its data is deleted then.
    pub stop: String,
}

impl Server {
    /// Starts a server of any supported version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Server`](crate::ErrorKind::Server), saying what was tried and how to get a PostgreSQL.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops and deletes what was started.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Asks for a server with a certain version, source or configuration.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Superuser `postgres`, database `postgres`, no password. Use [`ConnectOptions::as_role`] and
    /// [`ConnectOptions::with_database`] for others.
    pub fn options(&self) -> ConnectOptions {
        self.options.clone()
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        let port = self.options.config().get_ports().first().copied().unwrap_or(5432);
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// PostgreSQL's major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Where its programs come from, for messages.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the server wrote so far to its log; of a container the last lines.
    pub fn log(&self) -> String {
        match &self.backend {
            Backend::Cluster(cluster) => cluster.log_text(),
            #[cfg(feature = "docker")]
            Backend::Container(container) => container.log_text(),
        }
    }

    /// Stops the server and deletes its data.
    pub async fn stop(self) {
        // Stopping waits for a process. A panic in it was already reported by the panic hook.
        drop(tokio::task::spawn_blocking(move || drop(self)).await);
    }

    /// Lets the server run on after this process ended.
    #[cfg_attr(
        not(feature = "docker"),
        expect(clippy::unused_async, reason = "a container's server is kept asynchronously")
    )]
    pub async fn keep(self) -> Result<Kept> {
        let url = self.url();
        let stop = match self.backend {
            Backend::Cluster(cluster) => cluster.keep()?,
            #[cfg(feature = "docker")]
            Backend::Container(container) => container.keep().await?,
        };
        Ok(Kept { url, stop })
    }
}
