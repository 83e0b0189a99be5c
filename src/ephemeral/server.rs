//! The handle of a running throwaway server, and how to ask for one.

use std::fmt;

use super::cluster::Cluster;
use super::source::Source;
use super::user::RunAs;
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};

/// A running throwaway server. Dropping it stops the server and deletes its data; that blocks for a moment, so in
/// asynchronous code prefer [`Server::stop`].
pub struct Server {
    options: ConnectOptions,
    version: u32,
    origin: String,
    cluster: Cluster,
}

/// What is wanted of a server. Made by [`Server::builder`].
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    version: Option<u32>,
    source: Source,
    config: Vec<(String, String)>,
}

impl Server {
    /// Starts a server of any supported version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Server`], saying what was tried and how to get a PostgreSQL.
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

    /// Where the programs come from, for messages.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Stops the server and deletes its data.
    pub async fn stop(self) {
        // Stopping waits for a process. A panic in it was already reported by the panic hook.
        drop(tokio::task::spawn_blocking(move || drop(self)).await);
    }
}

impl Builder {
    /// Asks for a major version; `None` takes what there is.
    pub fn version(mut self, version: Option<u32>) -> Self {
        self.version = version;
        self
    }

    /// Asks for a source; the default tries them in turn.
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Sets a server setting, as in `postgresql.conf`.
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }

    /// Starts the server: like [`Server::start`].
    pub async fn start(self) -> Result<Server> {
        let Self {
            version,
            source,
            config,
        } = self;
        let (binaries, user, mut cluster) = tokio::task::spawn_blocking(move || {
            let user = RunAs::choose()?;
            let binaries = source.binaries(version, &user)?;
            let cluster = Cluster::init(&binaries, &user, &config)?;
            Ok::<_, Error>((binaries, user, cluster))
        })
        .await
        .map_err(|cause| {
            Error::new(ErrorKind::Internal, "the start of a server was cut off").caused_by(cause)
        })??;
        let options = cluster.start(&binaries, &user).await?;
        Ok(Server {
            options,
            version: binaries.version,
            origin: binaries.folder.display().to_string(),
            cluster,
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("options", &self.options)
            .field("version", &self.version)
            .field("origin", &self.origin)
            .field("cluster", &self.cluster)
            .finish()
    }
}
