//! Where a command's text goes: reports to stdout (or a file), everything else to stderr.

use std::io::{self, IsTerminal, Write};

/// Whether stdout wants colour: a terminal, and `NO_COLOR` not set.
pub(crate) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a line to stderr; a closed stderr is no reason to fail.
pub(crate) fn note(line: impl std::fmt::Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Writes `text` to stdout.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
