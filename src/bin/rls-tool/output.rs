//! Where a command's text goes: reports to stdout (or a file), everything else to stderr; and how it is dressed.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use rls_tool::report::Style;

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal; NO_COLOR and CLICOLOR_FORCE are heeded.
    #[default]
    Auto,
    Always,
    Never,
}

/// What the flags say, the same for the whole run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) colour: Colour,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Sets what holds from now on; only the first call counts.
pub(crate) fn configure(settings: Settings) {
    SETTINGS.set(settings).ok();
}

fn settings() -> Settings {
    SETTINGS.get().copied().unwrap_or_default()
}

/// Whether stdout wants colour.
pub(crate) fn colour() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    wants_colour(
        settings().colour,
        set("NO_COLOR"),
        set("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        io::stdout().is_terminal(),
    )
}

fn wants_colour(flag: Colour, no_color: bool, forced: bool, terminal: bool) -> bool {
    match flag {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => !no_color && (forced || terminal),
    }
}

/// How text on stdout is dressed.
pub(crate) fn style() -> Style {
    if colour() { Style::Coloured } else { Style::Plain }
}

/// Writes a line to stderr, unless --quiet; a closed stderr is no reason to fail.
pub(crate) fn note(line: impl std::fmt::Display) {
    if !settings().quiet {
        drop(writeln!(io::stderr(), "{line}"));
    }
}

/// Writes a line to stderr with --verbose.
pub(crate) fn detail(line: impl std::fmt::Display) {
    if settings().verbose {
        drop(writeln!(io::stderr(), "{line}"));
    }
}

/// Writes `text` to stdout.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes `text` to the file, or to stdout where none is named.
pub(crate) fn write(path: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match path {
        None => Ok(print(text)?),
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
        }
    }
}

/// Says what is being done, for as long as it is held; only where stderr is a terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

/// Starts saying it.
pub(crate) fn progress(what: impl Into<String>) -> Progress {
    if settings().quiet || !io::stderr().is_terminal() {
        return Progress(ProgressBar::hidden());
    }
    let bar = ProgressBar::new_spinner().with_message(what.into());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    Progress(bar)
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_no_color_then_force_then_the_terminal() {
        assert!(wants_colour(Colour::Always, true, false, false));
        assert!(!wants_colour(Colour::Never, false, true, true));
        assert!(!wants_colour(Colour::Auto, true, true, true));
        assert!(wants_colour(Colour::Auto, false, true, false));
        assert!(wants_colour(Colour::Auto, false, false, true));
        assert!(!wants_colour(Colour::Auto, false, false, false));
    }
}
