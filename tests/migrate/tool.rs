//! The real program, as a script starts it.

use std::path::Path;
use std::process::{Command, Output};

/// `rls-tool` in `folder`, without the caller's PostgreSQL variables.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rls-tool"));
    command.args(arguments).current_dir(folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}

/// What came of it: exit status, stdout, stderr.
pub(crate) fn tool(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    read(&command(folder, arguments).output().unwrap())
}

pub(crate) fn read(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code().unwrap(), out, err)
}

/// Stderr of a run that must exit with 2 and write nothing to stdout: one error, after the notes on what it works on.
pub(crate) fn failure(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = tool(folder, arguments);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    let errors = err.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{err}");
    err
}
