//! What is wanted of a server, and trying one source after the other for it.

use super::binaries::Binaries;
use super::cluster::{self, Cluster};
#[cfg(feature = "docker")]
use super::docker;
use super::fetch;
use super::server::{Backend, Server};
use super::source::{self, Source, Tried};
use super::user::RunAs;
use crate::error::{Error, ErrorKind, Result};

/// What is wanted of a server. Made by [`Server::builder`].
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    version: Option<u32>,
    source: Source,
    config: Vec<(String, String)>,
}

/// Looks for programs; what does not do goes to the list.
type Find = fn(&Builder, &RunAs, &mut Tried) -> Result<Option<Binaries>>;

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
        for (key, value) in &self.config {
            cluster::check_setting(key, value)?;
        }
        let mut tried = Tried::default();
        if self.tries(&Source::Installed) || matches!(self.source, Source::Folder(_)) {
            match self.run_binaries(Self::on_this_machine, tried).await? {
                Ok(server) => return Ok(server),
                Err(reasons) => tried = reasons,
            }
        }
        if self.tries(&Source::Docker) {
            #[cfg(feature = "docker")]
            match docker::start(self.version, &self.config).await {
                Ok(server) => return Ok(server),
                Err(error) => tried.fail("Docker", &error),
            }
            #[cfg(not(feature = "docker"))]
            tried.note("Docker", "this build has no feature `docker`");
        }
        if self.tries(&Source::Fetched) {
            match self.run_binaries(Self::fetched, tried).await? {
                Ok(server) => return Ok(server),
                Err(reasons) => tried = reasons,
            }
        }
        Err(tried.into_error(self.version))
    }

    fn tries(&self, source: &Source) -> bool {
        self.source == Source::Auto || self.source == *source
    }

    fn on_this_machine(&self, user: &RunAs, tried: &mut Tried) -> Result<Option<Binaries>> {
        let Source::Folder(folder) = &self.source else {
            return source::installed(self.version, user, tried);
        };
        let found = source::in_folder(folder, user)?;
        if self.version.is_none_or(|version| version == found.version) {
            return Ok(Some(found));
        }
        tried.note("the named folder", found.describe());
        Ok(None)
    }

    // The result is the signature's that `Find` shares.
    #[expect(clippy::unnecessary_wraps, reason = "one of two functions of the type `Find`")]
    fn fetched(&self, user: &RunAs, tried: &mut Tried) -> Result<Option<Binaries>> {
        Ok(fetch::binaries(self.version, user, tried))
    }

    /// Starts what `find` finds; the inner error is why it found nothing.
    async fn run_binaries(&self, find: Find, mut tried: Tried) -> Result<Result<Server, Tried>> {
        let builder = self.clone();
        // Looking, fetching and initdb wait for other processes.
        let prepared = tokio::task::spawn_blocking(move || {
            let user = RunAs::choose()?;
            let Some(binaries) = find(&builder, &user, &mut tried)? else {
                return Ok(Err(tried));
            };
            let cluster = Cluster::init(&binaries, &user, &builder.config)?;
            Ok::<_, Error>(Ok((cluster, binaries, user)))
        })
        .await
        .map_err(|cause| {
            Error::new(ErrorKind::Internal, "the start of a server was cut off").caused_by(cause)
        })??;
        let (mut cluster, binaries, user) = match prepared {
            Ok(prepared) => prepared,
            Err(tried) => return Ok(Err(tried)),
        };
        let options = cluster.start(&binaries, &user).await?;
        Ok(Ok(Server {
            options,
            version: binaries.version,
            origin: binaries.folder.display().to_string(),
            backend: Backend::Cluster(cluster),
        }))
    }
}
