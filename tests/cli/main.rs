//! The command line as people and scripts meet it: help, completions, manual pages, typical mistakes, and the commands
//! for living with findings. (verify-isolation's own contract is tested in tests/verify, migrate's in tests/migrate.)

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../support/mod.rs"]
mod support;

mod commits;
mod conventions;
mod cures;
mod findings;
mod help;
mod leaking;
mod mistakes;
mod progress;
mod secrets;

use std::path::Path;
use std::process::{Command, Output};

/// The command in an empty folder and in an environment that names no database.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rls-tool"));
    command.args(arguments).current_dir(folder);
    for (name, _) in std::env::vars() {
        let about_us = name.starts_with("PG") || name.starts_with("RLS_TOOL");
        if about_us || ["DATABASE_URL", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command
}

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn run(arguments: &[&str]) -> Output {
    run_in(tempfile::tempdir().unwrap().path(), arguments)
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Exit status, stdout and stderr, for a snapshot.
fn shown(output: &Output) -> String {
    format!(
        "exit {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        stdout(output),
        stderr(output)
    )
}
