//! A server in a container of the official image.
//!
//! A thread with a runtime of its own owns the container, because a Docker client does not survive the runtime it was
//! made on. It keeps a connection to the server open; the container ends, and removes itself, when that connection
//! ends with our process: no clean-up depends on us, nor on a `docker` command.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use testcontainers::core::logs::LogFrame;
use testcontainers::core::{ExecCommand, IntoContainerPort as _};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::sync::oneshot;
use tokio_postgres::Client;

use super::cluster::DEFAULTS;
use super::fetch::DEFAULT_VERSION;
use super::server::{Backend, Server};
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};

const ENTRY: &str = include_str!("docker_entry.sh");
/// The label of our containers: `docker ps --filter label=rls-tool.throwaway`.
const LABEL: &str = "rls-tool.throwaway";
/// The name of the connection whose end ends the container; `docker_entry.sh` knows it.
const OWNER: &str = "rls-tool owner";
/// Pulling the image may be part of the start.
const START_TIMEOUT: Duration = Duration::from_mins(5);
/// From the last word that the container wrote: a busy machine is slow and not silent.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);
/// When we are in a container ourselves, the daemon's 127.0.0.1 may not be ours; then no answer will ever come.
const INSIDE_TIMEOUT: Duration = Duration::from_secs(20);

/// A running container; dropping it removes the container.
#[derive(Debug)]
pub(super) struct Container {
    orders: Option<oneshot::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    log: Log,
}

/// How the thread ends: it removes the container unless told otherwise.
#[derive(Debug)]
enum Order {
    Keep(oneshot::Sender<Result<String>>),
}

/// The last lines that a container wrote; it takes its log with it when it removes itself.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    text: VecDeque<String>,
    last: Option<Instant>,
}

impl Log {
    /// Kept for whoever asks.
    const LINES: usize = 2000;
    /// Quoted in errors.
    const QUOTED: usize = 6;

    fn add(&self, bytes: &[u8]) {
        if let Ok(mut lines) = self.0.lock() {
            let text = String::from_utf8_lossy(bytes);
            lines.text.extend(text.lines().map(str::to_owned));
            let surplus = lines.text.len().saturating_sub(Self::LINES);
            lines.text.drain(..surplus);
            lines.last = Some(Instant::now());
        }
    }

    /// When the container last wrote something.
    fn last_written(&self) -> Option<Instant> {
        self.0.lock().ok()?.last
    }

    fn last(&self, count: usize) -> Vec<String> {
        let lines = self.0.lock().map(|lines| {
            let surplus = lines.text.len().saturating_sub(count);
            lines.text.iter().skip(surplus).cloned().collect()
        });
        lines.unwrap_or_default()
    }

    fn error(&self, message: &str) -> Error {
        let lines = match self.last(Self::QUOTED) {
            lines if lines.is_empty() => "nothing".to_owned(),
            lines => lines.join("\n  "),
        };
        Error::new(ErrorKind::Server, format!("{message}; it last said:\n  {lines}"))
    }
}

/// A container that answers.
struct Running {
    container: ContainerAsync<GenericImage>,
    options: ConnectOptions,
    version: u32,
    _owner: Client,
}

/// Starts a server in a container.
pub(super) async fn start(version: Option<u32>, config: &[(String, String)]) -> Result<Server> {
    let tag = version.unwrap_or(DEFAULT_VERSION).to_string();
    let arguments = arguments(config);
    let (orders, received) = oneshot::channel();
    let (ready, answer) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::new(ErrorKind::Server, "failed to make a Tokio runtime").caused_by(cause))?;
    let origin = format!("a container of postgres:{tag}");
    let log = Log::default();
    let lines = log.clone();
    let thread = std::thread::Builder::new()
        .name("rls-tool docker".to_owned())
        .spawn(move || runtime.block_on(own(tag, arguments, lines, ready, received)))
        .map_err(|cause| Error::new(ErrorKind::Server, "failed to start a thread").caused_by(cause))?;
    let (options, version) = answer.await.map_err(|cause| {
        Error::new(ErrorKind::Internal, "the container's thread ended").caused_by(cause)
    })??;
    Ok(Server {
        options,
        version,
        origin,
        backend: Backend::Container(Container {
            orders: Some(orders),
            thread: Some(thread),
            log,
        }),
    })
}

impl Container {
    /// The last lines that the container wrote.
    pub(super) fn log_text(&self) -> String {
        self.log.last(Log::LINES).join("\n")
    }

    /// Lets the container outlive us; gives the command that stops it.
    pub(super) async fn keep(mut self) -> Result<String> {
        let gone = || Error::new(ErrorKind::Internal, "the container's thread ended");
        let (reply, answer) = oneshot::channel();
        let orders = self.orders.take().ok_or_else(gone)?;
        orders.send(Order::Keep(reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The thread removes the container when nobody can give it orders any more.
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The container's whole life.
async fn own(
    tag: String,
    arguments: Vec<String>,
    log: Log,
    ready: oneshot::Sender<Result<(ConnectOptions, u32)>>,
    orders: oneshot::Receiver<Order>,
) {
    let running = match run(&tag, arguments, log).await {
        Ok(running) => running,
        Err(error) => {
            drop(ready.send(Err(error)));
            return;
        }
    };
    if ready
        .send(Ok((running.options.clone(), running.version)))
        .is_err()
    {
        // Nobody waits for it any more.
        drop(running.container.rm().await);
        return;
    }
    match orders.await {
        Ok(Order::Keep(reply)) => {
            let marked = running
                .container
                .exec(ExecCommand::new(["touch", "/tmp/rls-tool-keep"]))
                .await;
            let result = match marked {
                Ok(_) => Ok(format!("docker rm --force --volumes {}", running.container.id())),
                Err(cause) => Err(docker_error(cause)),
            };
            if result.is_ok() {
                // The container's script looks once a second; until then the connection is the reason to live.
                tokio::time::sleep(Duration::from_secs(3)).await;
                std::mem::forget(running.container);
            }
            drop(reply.send(result));
        }
        Err(_) => drop(running.container.rm().await),
    }
}

async fn run(tag: &str, arguments: Vec<String>, log: Log) -> Result<Running> {
    reachable()?;
    let port = 5432.tcp();
    let command = ["sh", "-c", ENTRY, "rls-tool"]
        .map(str::to_owned)
        .into_iter()
        .chain(arguments);
    let lines = log.clone();
    let container = GenericImage::new("postgres", tag)
        .with_cmd(command)
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_env_var("POSTGRES_INITDB_ARGS", "--locale=C -E UTF8 --no-sync")
        .with_label(LABEL, "true")
        .with_mapped_port(0, port)
        .with_host_config_modifier(|host| {
            host.auto_remove = Some(true);
            // The server trusts everybody: nobody but this machine may reach it.
            for binding in host
                .port_bindings
                .iter_mut()
                .flat_map(|all| all.values_mut())
                .flatten()
                .flatten()
            {
                binding.host_ip = Some("127.0.0.1".to_owned());
            }
        })
        .with_log_consumer(move |frame: &LogFrame| match frame {
            LogFrame::StdOut(bytes) | LogFrame::StdErr(bytes) => lines.add(bytes),
        })
        .with_startup_timeout(START_TIMEOUT)
        .start()
        .await
        .map_err(docker_error)?;
    let Ok(port) = container.get_host_port_ipv4(port).await else {
        // The log arrives on a task of its own.
        tokio::time::sleep(Duration::from_millis(300)).await;
        return Err(log.error("the container stopped at once"));
    };
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("postgres")
        .dbname("postgres");
    let options = ConnectOptions::from(config);
    let owner = answer(&container, &options, &log).await?;
    let row = owner
        .query_one("select current_setting('server_version_num')::int / 10000", &[])
        .await
        .map_err(|cause| Error::postgres("ask the container's server for its version", cause))?;
    let version = u32::try_from(row.get::<_, i32>(0)).unwrap_or_default();
    Ok(Running {
        container,
        options,
        version,
        _owner: owner,
    })
}

/// Waits until the final server answers by TCP; the temporary one of the image's set-up does not listen there.
async fn answer(
    container: &ContainerAsync<GenericImage>,
    options: &ConnectOptions,
    log: &Log,
) -> Result<Client> {
    let patience = if Path::new("/.dockerenv").exists() {
        INSIDE_TIMEOUT
    } else {
        ANSWER_TIMEOUT
    };
    let started = Instant::now();
    let options = options.clone().with_application_name(OWNER);
    loop {
        if let Ok(Ok(client)) = tokio::time::timeout(Duration::from_secs(5), options.connect()).await {
            return Ok(client);
        }
        if !container.is_running().await.unwrap_or(false) {
            return Err(log.error("the container stopped"));
        }
        if log.last_written().unwrap_or(started).max(started).elapsed() > patience {
            return Err(log.error(&format!(
                "the container did not answer and was silent for {} s",
                patience.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The container's port is bound to 127.0.0.1 of the daemon's machine, which must be ours.
fn reachable() -> Result<()> {
    let remote = std::env::var("DOCKER_HOST").is_ok_and(|host| {
        let address = host
            .split_once("://")
            .map_or(host.as_str(), |(_, address)| address);
        !host.starts_with("unix:")
            && !["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .any(|local| address.starts_with(local))
    });
    if remote {
        return Err(Error::new(
            ErrorKind::Server,
            "DOCKER_HOST is another machine, and a server that trusts everybody is bound to 127.0.0.1 only",
        ));
    }
    Ok(())
}

/// The settings as arguments of `postgres`; where and how the container listens is the image's business.
fn arguments(config: &[(String, String)]) -> Vec<String> {
    let defaults = DEFAULTS
        .iter()
        .filter(|(key, _)| !["listen_addresses", "unix_socket_directories"].contains(key))
        .map(|(key, value)| format!("{key}={value}"));
    let wanted = config.iter().map(|(key, value)| format!("{key}={value}"));
    defaults
        .chain(wanted)
        .flat_map(|setting| ["-c".to_owned(), setting])
        .collect()
}

fn docker_error(cause: testcontainers::TestcontainersError) -> Error {
    Error::new(ErrorKind::Server, "no container could be started").caused_by(cause)
}
