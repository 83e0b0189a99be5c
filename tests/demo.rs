//! `rls-tool demo` as a new user meets it: it works by itself, as root and as anybody else, and leaves nothing behind.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The command in an environment that names no database; throwaway servers live below `temp`.
fn demo(temp: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rls-tool"));
    command
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", temp)
        .env_remove("DATABASE_URL");
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A folder that every user may write to, as /tmp is.
fn shared_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    folder
}

/// Whether nothing is left in the folder, waiting a moment for the clean-up process.
fn becomes_empty(folder: &Path) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if std::fs::read_dir(folder).unwrap().next().is_none() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_demo_verifies_breaks_catches_and_cleans_up() {
    let folder = shared_folder();
    let output = demo(folder.path(), &[]).output().unwrap();
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for line in [
        "bound to Acme    1 row, its own",
        "bound to nobody  0 rows",
        "ISOLATED  11 tables",
        "CREATE POLICY support ON app.api_keys",
        "2 rows, 1 of them another tenant's",
        "LEAKING  11 tables",
        "app.api_keys cross-tenant-read",
        "ROLLBACK;",
    ] {
        assert!(shown.contains(line), "{line:?} is missing in:\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colour when not on a terminal");
    assert!(becomes_empty(folder.path()), "the server's data is left");
}

#[test]
fn it_works_as_an_ordinary_user() {
    let folder = shared_folder();
    // Test binaries may lie where only we can read: the copy is for everybody.
    let program = folder.path().join("rls-tool");
    std::fs::copy(env!("CARGO_BIN_EXE_rls-tool"), &program).unwrap();
    let temp = folder.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let mut command = Command::new(&program);
    command
        .arg("demo")
        .env("TMPDIR", &temp)
        .env("HOME", &temp)
        .env_remove("DATABASE_URL")
        .current_dir("/");
    if nix::unistd::Uid::effective().is_root() {
        let nobody = nix::unistd::User::from_name("nobody")
            .unwrap()
            .expect("there is a user nobody");
        std::os::unix::fs::chown(&temp, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("LEAKING  11 tables"), "{}", text(&output));
}

#[test]
fn ctrl_c_and_sigterm_leave_nothing() {
    for signal in [
        nix::sys::signal::Signal::SIGINT,
        nix::sys::signal::Signal::SIGTERM,
    ] {
        let folder = shared_folder();
        let mut child = demo(folder.path(), &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_first_step(&mut child);
        let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(2), "{signal}: {status}");
        assert!(becomes_empty(folder.path()), "{signal} leaves the server's data");
    }
}

/// Returns once the server is up: its line is the first on stdout.
fn wait_for_first_step(child: &mut Child) {
    let mut byte = [0];
    let mut line = Vec::new();
    let stdout = child.stdout.as_mut().unwrap();
    while stdout.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    assert!(String::from_utf8_lossy(&line).contains("PostgreSQL"), "{line:?}");
}

#[test]
fn keep_leaves_a_server_that_the_printed_command_deletes() {
    let folder = shared_folder();
    let output = demo(folder.path(), &["--keep"]).output().unwrap();
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let url = shown
        .split('\'')
        .find(|part| part.starts_with("postgres://postgres@"))
        .expect("the URL is printed");
    let delete = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix("delete:"))
        .expect("the command is printed");

    let verify = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rls-tool"));
        command
            .args(["verify-isolation", "--database-url", url])
            .output()
            .unwrap()
    };
    let output = verify(url);
    assert_eq!(
        output.status.code(),
        Some(1),
        "the policy is still broken: {}",
        text(&output)
    );

    assert!(
        Command::new("sh")
            .args(["-c", delete.trim()])
            .status()
            .unwrap()
            .success()
    );
    assert!(becomes_empty(folder.path()), "the kept server's data is left");
    assert_eq!(verify(url).status.code(), Some(2), "the server still answers");
}

#[test]
fn a_version_that_does_not_exist_is_a_usage_error() {
    let folder = shared_folder();
    let output = demo(folder.path(), &["--pg-version", "13"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("13"), "{}", text(&output));
}
