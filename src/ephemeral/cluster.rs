//! One PostgreSQL cluster of our own: initdb, start, wait until it answers, stop, delete.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::binaries::Binaries;
use super::user::RunAs;
use super::watchdog::Watchdog;
use super::workdir::{self, WorkDir};
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};

/// What a throwaway server is good for: tests, many connections at once, no durability.
pub(super) const DEFAULTS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("max_connections", "200"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    // In the data directory, deleted with it; segments in /dev/shm would outlive a SIGKILL.
    ("dynamic_shared_memory_type", "mmap"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];
/// Far more than a start takes, even on a busy machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(6);
/// A port that was free may be taken before PostgreSQL binds it.
const PORT_ATTEMPTS: usize = 10;

/// A cluster; dropping it stops the server and deletes the data.
#[derive(Debug)]
pub(super) struct Cluster {
    workdir: WorkDir,
    watchdog: Option<Watchdog>,
    postmaster: Option<Child>,
    kept: bool,
}

impl Cluster {
    /// Runs initdb in a new directory. Blocks for about half a second.
    pub(super) fn init(binaries: &Binaries, user: &RunAs, config: &[(String, String)]) -> Result<Self> {
        workdir::sweep(user);
        let workdir = WorkDir::create(user)?;
        let watchdog = Watchdog::over(workdir.path()).inspect_err(|_| workdir.remove())?;
        let mut cluster = Self {
            workdir,
            watchdog: Some(watchdog),
            postmaster: None,
            kept: false,
        };
        let data = cluster.workdir.data();
        let log = cluster.workdir.file("initdb.log");
        let mut initdb = user.command(&binaries.program("initdb"));
        initdb.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        let mut child = cluster.spawn(&mut initdb, &log, "KILL")?;
        let status = child
            .wait()
            .map_err(|cause| Error::io(&log, "wait for initdb, see", cause))?;
        if !status.success() {
            return Err(failed(
                &format!("initdb of {} failed ({status})", binaries.folder.display()),
                &log,
            ));
        }
        configure(&data, config)?;
        Ok(cluster)
    }

    /// Starts the server and waits until it answers; gives where.
    pub(super) async fn start(&mut self, binaries: &Binaries, user: &RunAs) -> Result<ConnectOptions> {
        for _ in 0..PORT_ATTEMPTS {
            if let Some(options) = self.start_on(free_port()?, binaries, user).await? {
                return Ok(options);
            }
        }
        Err(failed("PostgreSQL found no free port on 127.0.0.1", &self.log()))
    }

    /// `None`: somebody else has the port.
    async fn start_on(
        &mut self,
        port: u16,
        binaries: &Binaries,
        user: &RunAs,
    ) -> Result<Option<ConnectOptions>> {
        let log = self.log();
        let mut command = user.command(&binaries.program("postgres"));
        command
            .arg("-D")
            .arg(self.workdir.data())
            .args(["-p", &port.to_string()]);
        let child = self.spawn(&mut command, &log, "QUIT")?;
        let pid = child.id();
        self.postmaster = Some(child);
        self.workdir.note_server(pid)?;
        let mut options = tokio_postgres::Config::new();
        options
            .host("127.0.0.1")
            .port(port)
            .user("postgres")
            .dbname("postgres");
        let options = ConnectOptions::from(options);
        Ok(self.answers(&options, &log).await?.then_some(options))
    }

    fn log(&self) -> PathBuf {
        self.workdir.file("server.log")
    }

    /// What the server wrote so far.
    pub(super) fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log()).unwrap_or_default()).into_owned()
    }

    /// Lets the server outlive us; gives the command that stops it, upon which the watchdog deletes the data.
    pub(super) fn keep(mut self) -> Result<String> {
        let Some(child) = self.postmaster.take() else {
            return Err(Error::new(ErrorKind::Internal, "no server was started"));
        };
        let pid = child.id();
        self.workdir.mark_kept()?;
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.keep(pid);
        }
        self.kept = true;
        Ok(format!("kill -INT {pid}"))
    }

    /// Waits for *this* server's answer. `false`: somebody took the port first.
    async fn answers(&mut self, options: &ConnectOptions, log: &Path) -> Result<bool> {
        let deadline = Instant::now() + START_TIMEOUT;
        let data = self.workdir.data();
        loop {
            let exited = match self.postmaster.as_mut().map(Child::try_wait) {
                Some(Ok(None)) => None,
                Some(Ok(status)) => status,
                Some(Err(cause)) => return Err(Error::io(log, "wait for PostgreSQL, see", cause)),
                None => return Err(Error::new(ErrorKind::Internal, "no server was started")),
            };
            if let Some(status) = exited {
                self.postmaster = None;
                let text = fs::read_to_string(log).unwrap_or_default();
                if text.contains("could not create any TCP/IP sockets") {
                    return Ok(false);
                }
                return Err(failed(
                    &format!("PostgreSQL stopped while starting ({status})"),
                    log,
                ));
            }
            let attempt = tokio::time::timeout(Duration::from_secs(5), data_directory(options)).await;
            // Another server may have the port while ours is still finding out that it cannot: then wait for that.
            if let Ok(Some(directory)) = attempt
                && Path::new(&directory) == data
            {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Err(failed(
                    &format!("PostgreSQL did not answer within {} s", START_TIMEOUT.as_secs()),
                    log,
                ));
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Starts `command` with its output in `log`, and tells the watchdog how to end it.
    fn spawn(&mut self, command: &mut Command, log: &Path, signal: &str) -> Result<Child> {
        let out = File::create(log).map_err(|cause| Error::io(log, "write", cause))?;
        let err = out.try_clone().map_err(|cause| Error::io(log, "write", cause))?;
        let program = Path::new(command.get_program()).to_owned();
        let child = command
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|cause| Error::io(&program, "run", cause))?;
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.stops_with(signal, child.id());
        }
        Ok(child)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Some(mut child) = self.postmaster.take() {
            if let Ok(pid) = i32::try_from(child.id()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
            }
            let deadline = Instant::now() + STOP_TIMEOUT;
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            drop(child.kill());
            drop(child.wait());
        }
        self.workdir.remove();
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
    }
}

/// The data directory of the server that answers there, if one does.
async fn data_directory(options: &ConnectOptions) -> Option<String> {
    let client = options.connect().await.ok()?;
    let row = client.query_one("show data_directory", &[]).await.ok()?;
    row.try_get(0).ok()
}

/// Appends the settings to postgresql.conf, so that `ALTER SYSTEM` can still change them.
fn configure(data: &Path, config: &[(String, String)]) -> Result<()> {
    let path = data.join("postgresql.conf");
    let mut text = String::from("\n");
    let all = DEFAULTS.iter().map(|(key, value)| (*key, *value));
    for (key, value) in all.chain(config.iter().map(|(key, value)| (key.as_str(), value.as_str()))) {
        check_setting(key, value)?;
        for part in [key, " = ", &quoted(value), "\n"] {
            text.push_str(part);
        }
    }
    OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|cause| Error::io(&path, "write", cause))
}

/// A value as `postgresql.conf` has it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', "''"))
}

/// Refuses what would become another line of the file.
pub(super) fn check_setting(key: &str, value: &str) -> Result<()> {
    if key.is_empty()
        || !key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
    {
        return Err(Error::input(format!("{key:?} is not the name of a setting")));
    }
    if value.contains(['\n', '\r', '\0']) {
        return Err(Error::input(format!(
            "the value of the setting {key} has a line break"
        )));
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|cause| {
            Error::new(ErrorKind::Server, "failed to find a free port on 127.0.0.1").caused_by(cause)
        })
}

/// An error that quotes the end of the log, which is deleted with everything else.
fn failed(message: &str, log: &Path) -> Error {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(6)..].join("\n    ");
    Error::new(ErrorKind::Server, format!("{message}; it last said:\n    {tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ephemeral::fetch;
    use crate::ephemeral::source::{self, Tried};

    fn cluster() -> (Cluster, Binaries, RunAs) {
        let user = RunAs::choose().unwrap();
        let mut tried = Tried::default();
        let binaries = source::installed(None, &user, &mut tried)
            .unwrap()
            .or_else(|| fetch::binaries(None, &user, &mut tried))
            .unwrap_or_else(|| panic!("{}", tried.into_error(None)));
        (Cluster::init(&binaries, &user, &[]).unwrap(), binaries, user)
    }

    /// Between finding a free port and PostgreSQL's bind another server may take it.
    #[tokio::test]
    async fn another_servers_answer_is_not_taken_for_ours() {
        let (mut first, binaries, user) = cluster();
        let there = first.start(&binaries, &user).await.unwrap();
        let port = there.config().get_ports()[0];

        let (mut second, binaries, user) = cluster();
        assert!(second.start_on(port, &binaries, &user).await.unwrap().is_none());
        // The twin: something does answer there, so that connecting alone would have been enough to be fooled.
        let answer = data_directory(&there).await.unwrap();
        assert_eq!(Path::new(&answer), first.workdir.data());
        // And the second one still gets a port of its own.
        let here = second.start(&binaries, &user).await.unwrap();
        assert_ne!(here.config().get_ports()[0], port);
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        assert_eq!(quoted(r"it's \n"), r"'it''s \\n'");
    }
}
