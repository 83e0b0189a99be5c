//! Exit status, the same for every command (DESIGN, contract): 0 done or isolated; 1 isolation falls short; 2 the
//! tool could not do its job, or was interrupted. A broken pipe is 0.

use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended when it did its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or isolated.
    Done,
    /// Isolation falls short: findings at or above the threshold.
    FallsShort,
    /// Ctrl-C: the job is not done, and nothing need be said.
    Interrupted,
}

/// Parses, runs, reports an error on stderr, and gives the exit status.
pub(crate) fn run<T>(
    parse: impl FnOnce() -> Result<T, clap::Error>,
    command: impl FnOnce(T) -> anyhow::Result<Outcome>,
) -> ExitCode {
    let parsed = match parse() {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version go to stdout and are no failure; everything else is usage, exit 2.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match command(parsed) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::FallsShort) => ExitCode::from(1),
        Ok(Outcome::Interrupted) => ExitCode::from(2),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {}", describe(&error)));
            ExitCode::from(2)
        }
    }
}

/// The error's chain on one line, and the way out on the next.
fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let part = cause.to_string();
        if text.is_empty() {
            text = part;
        } else if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
    }
    for cause in error.chain() {
        if let Some(help) = cause
            .downcast_ref::<rls_tool::Error>()
            .and_then(rls_tool::Error::help)
        {
            text.push_str("\n  help: ");
            text.push_str(help);
        }
    }
    text
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
