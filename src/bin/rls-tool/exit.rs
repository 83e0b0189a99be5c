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
            if !error.use_stderr() {
                drop(error.print());
                return ExitCode::SUCCESS;
            }
            let plain = error.render().to_string();
            let mut told = redacted(&plain);
            if plain.contains("unexpected argument 'postgres") {
                let tip = "\n\n  tip: give the database as --database-url, or in DATABASE_URL\n\nUsage";
                told = told.replacen("\n\nUsage", tip, 1);
            }
            if told == plain {
                drop(error.print());
            } else {
                // A URL that stands where none belongs is shown, but not its password.
                drop(write!(io::stderr(), "{told}"));
            }
            return ExitCode::from(2);
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
    text = redacted(&text);
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

/// `text` without the passwords of connection strings in it: whatever is said here may end up in a log.
fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let url = rest.find("://").map(|at| at + 3);
        let word = rest.find("password=").map(|at| at + 9);
        let Some(start) = url.into_iter().chain(word).min() else {
            return out + rest;
        };
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let secret = if Some(start) == word {
            // A value in quotes may hold spaces.
            let quoted = rest.strip_prefix('\'').and_then(|rest| rest.find('\''));
            let plain = rest.find(|c: char| c.is_whitespace() || "'\"`".contains(c));
            0..quoted.map(|at| at + 2).or(plain).unwrap_or(rest.len())
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let Some(at) = rest[..end].rfind('@') else {
                continue;
            };
            let Some(colon) = rest[..at].find(':') else {
                continue;
            };
            colon + 1..at
        };
        out.push_str(&rest[..secret.start]);
        out.push('…');
        rest = &rest[secret.end..];
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_connection_strings_are_left_out() {
        for (text, told) in [
            ("nothing to hide: a://b", "nothing to hide: a://b"),
            ("'postgres://u:s3cret@h/x' found", "'postgres://u:…@h/x' found"),
            (
                "postgres://u@h/x and postgres://u:s3@cret@h",
                "postgres://u@h/x and postgres://u:…@h",
            ),
            ("host=h password=s3cret user=u", "host=h password=… user=u"),
            ("password='s3 cret' user=u", "password=… user=u"),
            ("postgres://h/x?password=s3cret", "postgres://h/x?password=…"),
        ] {
            assert_eq!(redacted(text), told);
        }
    }
}
