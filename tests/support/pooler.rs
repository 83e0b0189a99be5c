//! A PgBouncer of the suite's own, in transaction mode, on a free port, as an unprivileged user.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each target uses a part of this"
)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::{Uid, User};

const MISSING: &str = "this test needs PgBouncer, and there is no program `pgbouncer`.\n  \
                       help: apt-get install pgbouncer, or name the program in RLS_TEST_PGBOUNCER";

/// Stops PgBouncer when the pipe to this process closes, however this process ends.
const WATCHED: &str = r#""$@" & read -r _; kill -9 $!; wait"#;

/// A running PgBouncer; dropping it stops it and deletes its folder.
#[derive(Debug)]
pub struct PgBouncer {
    folder: tempfile::TempDir,
    program: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl PgBouncer {
    /// Before the server that listens on `server`, for `role`, with so many connections to the server.
    pub fn start(server: u16, role: &str, pool_size: usize) -> Self {
        let program = program();
        // A port that is free now may be taken a moment later; then PgBouncer does not start, and another is tried.
        for _ in 0..5 {
            let port = free_port();
            let mut pooler = Self {
                folder: tempfile::tempdir().unwrap(),
                program: program.clone(),
                port,
                process: None,
            };
            pooler.configure(server, role, pool_size);
            if pooler.up() {
                return pooler;
            }
        }
        panic!("PgBouncer did not start");
    }

    /// The program's version, major and minor.
    pub fn version() -> (u32, u32) {
        let output = Command::new(program()).arg("--version").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let number = text.split_whitespace().nth(1).unwrap_or_default();
        let mut parts = number.split('.').map(|part| part.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    }

    /// Where to connect.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it at once, with every connection through it.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            process.wait().unwrap();
        }
    }

    /// Stops it and starts it again on the same port.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.up(), "PgBouncer did not start again");
    }

    fn configure(&self, server: u16, role: &str, pool_size: usize) {
        let folder = self.folder.path();
        let config = format!(
            "[databases]\n* = host=127.0.0.1 port={server}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {folder}/users\nlogfile = {folder}/log\n\
             pool_mode = transaction\ndefault_pool_size = {pool_size}\nmax_client_conn = 200\n\
             server_login_retry = 0.1\n",
            port = self.port,
            folder = folder.display(),
        );
        std::fs::write(folder.join("pgbouncer.ini"), config).unwrap();
        std::fs::write(folder.join("users"), format!("\"{role}\" \"\"\n")).unwrap();
        if let Some(nobody) = unprivileged() {
            for path in [folder, &folder.join("pgbouncer.ini"), &folder.join("users")] {
                chown(path, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
            }
        }
    }

    fn up(&mut self) -> bool {
        let mut command = Command::new("sh");
        command.args(["-c", WATCHED, "sh"]).arg(&self.program).arg("-q");
        if let Some(nobody) = unprivileged() {
            command.args(["-u", &nobody.name]);
        }
        command
            .arg(self.folder.path().join("pgbouncer.ini"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop();
        false
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Who runs it where we are root, which it refuses to run as.
fn unprivileged() -> Option<User> {
    Uid::effective()
        .is_root()
        .then(|| User::from_name("nobody").unwrap().expect("a user `nobody`"))
}

fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("RLS_TEST_PGBOUNCER") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian's is in a folder that only root has on PATH.
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| Path::is_file(program))
        .unwrap_or_else(|| panic!("{MISSING}"))
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
