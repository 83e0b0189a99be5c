//! However the owner of a server ends, the server and its files go too; and who does it is shown by taking them away.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::owner::{Owner, command};

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

/// A temporary folder that only this test's servers use, so that no other test's start sweeps in it.
fn private_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The process that watches over `directory`.
fn watchdog_of(directory: &Path) -> u32 {
    let wanted = format!("rls-tool-watchdog {}", directory.display());
    let listed = std::process::Command::new("ps")
        .args(["-axo", "pid=,command="])
        .output();
    let listed = match listed {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        // A machine without ps has /proc.
        Err(_) => fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let arguments = fs::read(entry.path().join("cmdline")).ok()?;
                let arguments = String::from_utf8_lossy(&arguments).replace(['\0', '\n'], " ");
                Some(format!("{} {arguments}\n", entry.file_name().to_string_lossy()))
            })
            .collect(),
    };
    // Its arguments hold a script of several lines, the directory at their end.
    let flat = listed.lines().collect::<Vec<_>>();
    let end = flat
        .iter()
        .position(|line| line.contains(&wanted))
        .expect("there is a watchdog");
    flat[..=end]
        .iter()
        .rev()
        .find_map(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap()
}

#[tokio::test]
async fn stop_and_drop_have_cleaned_when_they_return() {
    for mode in ["stop", "drop"] {
        let mut owner = Owner::start(&mut command(mode));
        owner.child.wait().unwrap();
        assert!(!owner.directory.exists(), "{mode}");
        assert!(!owner.answers().await, "{mode}");
    }
}

#[tokio::test]
async fn a_panic_cleans_up() {
    let mut owner = Owner::start(&mut command("panic"));
    assert!(!owner.child.wait().unwrap().success());
    assert!(owner.vanishes().await);
}

#[tokio::test]
async fn a_server_that_is_never_dropped_ends_with_its_process() {
    let mut owner = Owner::start(&mut command("forget"));
    assert!(owner.child.wait().unwrap().success());
    assert!(owner.vanishes().await);
}

#[tokio::test]
async fn every_signal_that_ends_the_owner_cleans_up() {
    for fatal in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut owner = Owner::start(&mut command("wait"));
        signal(owner.child.id(), fatal);
        owner.child.wait().unwrap();
        assert!(owner.vanishes().await, "{fatal}");
    }
}

/// The twin of the test above, and the sweep: without its watchdog a killed owner leaves everything, until the next start.
#[tokio::test]
async fn the_next_start_sweeps_what_a_killed_watchdog_left_and_nothing_of_the_living() {
    let folder = private_folder();
    let mut living = Owner::start(command("wait").env("TMPDIR", folder.path()));
    let mut dead = Owner::start(command("wait").env("TMPDIR", folder.path()));
    signal(watchdog_of(&dead.directory), Signal::SIGKILL);
    signal(dead.child.id(), Signal::SIGKILL);
    dead.child.wait().unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(
        dead.directory.exists() && dead.answers().await,
        "the watchdog is what cleans"
    );

    let mut next = Owner::start(command("stop").env("TMPDIR", folder.path()));
    next.child.wait().unwrap();
    assert!(!dead.directory.exists() && !dead.answers().await, "swept");
    assert!(
        living.directory.exists() && living.answers().await,
        "never the living"
    );

    drop(living.child.stdin.take());
    living.child.wait().unwrap();
    assert!(living.vanishes().await);
}

/// A directory that only looks like ours is left alone when nobody ever locked it.
#[tokio::test]
async fn a_sweep_leaves_what_it_does_not_know() {
    let folder = private_folder();
    let names = ["rls-tool-pg-unlocked", "rls-tool-new-unlocked", "rls-tool-other"];
    for name in names {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let target = private_folder();
    fs::write(target.path().join("owner.lock"), "").unwrap();
    std::os::unix::fs::symlink(target.path(), folder.path().join("rls-tool-pg-link")).unwrap();

    let mut owner = Owner::start(command("stop").env("TMPDIR", folder.path()));
    assert!(owner.directory.starts_with(folder.path()), "it did sweep there");
    owner.child.wait().unwrap();
    for name in names {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert!(target.path().join("owner.lock").exists(), "not through a link");
}

#[tokio::test]
async fn a_kept_server_outlives_its_owner_and_goes_when_it_is_stopped() {
    let folder = private_folder();
    let mut owner = Owner::start(command("keep").env("TMPDIR", folder.path()));
    let stop = owner.line("kept ").unwrap();
    owner.child.wait().unwrap();
    // A sweep does not touch it either.
    let mut other = Owner::start(command("stop").env("TMPDIR", folder.path()));
    other.child.wait().unwrap();
    assert!(owner.answers().await);
    assert!(owner.directory.exists());

    let stop = stop.trim_matches('"').to_owned();
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &stop])
            .status()
            .unwrap()
            .success()
    );
    assert!(owner.vanishes().await);
}
