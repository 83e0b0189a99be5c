//! Opening one connection: the TLS modes that are tried in turn, and a limit for the whole of it.

use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, NoTls};

use super::ConnectOptions;
use super::error::{explain, is_about_encryption};
use super::options::CONNECT_TIMEOUT;
use crate::error::{Error, ErrorKind, Result};

impl ConnectOptions {
    /// Opens one connection and drives it on a task of the current Tokio runtime; the connection closes when the
    /// client is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`], naming host, port, database and user, never the password.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn connect(&self) -> Result<Client> {
        self.open().await.map(|(client, _)| client)
    }

    /// Like [`connect`](Self::connect), with the task that drives the connection.
    pub(crate) async fn open(&self) -> Result<(Client, JoinHandle<()>)> {
        // The driver's limit is for opening the socket; a server that accepts and then says nothing is no better.
        let hosts = u32::try_from(self.config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
        let limit = self
            .config
            .get_connect_timeout()
            .copied()
            .unwrap_or(CONNECT_TIMEOUT)
            * hosts;
        tokio::time::timeout(limit, self.open_without_limit())
            .await
            .unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Connect,
                    format!(
                        "failed to connect to {self}: no answer within {} s",
                        limit.as_secs()
                    ),
                )
                .with_help(
                    "check the host's name, its firewall and the network; connect_timeout sets the limit",
                ))
            })
    }

    async fn open_without_limit(&self) -> Result<(Client, JoinHandle<()>)> {
        let encrypted = self
            .config
            .get_hosts()
            .iter()
            .any(|host| matches!(host, Host::Tcp(_)));
        // As in libpq, sslmode says nothing about Unix sockets.
        let attempts = if encrypted {
            self.tls.mode.attempts()
        } else {
            &[SslMode::Disable]
        };
        let mut failure = None;
        for mode in attempts {
            match self.attempt(*mode).await? {
                Ok(connected) => return Ok(connected),
                // The first failure is the one to report: the second attempt is a concession.
                Err(cause) if is_about_encryption(&cause) => failure = failure.or(Some(cause)),
                Err(cause) => return Err(explain(self, failure.unwrap_or(cause))),
            }
        }
        Err(match failure {
            Some(cause) => explain(self, cause),
            None => Error::new(ErrorKind::Internal, "no way to connect was tried"),
        })
    }

    async fn attempt(
        &self,
        mode: SslMode,
    ) -> Result<Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        let mut config = self.config.clone();
        config.ssl_mode(mode);
        if mode == SslMode::Disable {
            return Ok(config.connect(NoTls).await.map(drive));
        }
        #[cfg(feature = "tls")]
        return Ok(config
            .connect(super::verifier::connector(&self.tls)?)
            .await
            .map(drive));
        #[cfg(not(feature = "tls"))]
        if mode == SslMode::Prefer {
            Ok(config.connect(NoTls).await.map(drive))
        } else {
            Err(super::tls::no_tls())
        }
    }
}

/// Lets the connection run on a task of its own.
fn drive<S, T>((client, connection): (Client, tokio_postgres::Connection<S, T>)) -> (Client, JoinHandle<()>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    });
    (client, task)
}
