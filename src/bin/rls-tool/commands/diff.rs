//! `rls-tool diff`: what got weaker between two reports or saved catalogs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use rls_tool::audit::{Audit, Change, Comparison, Report};
use rls_tool::catalog::Catalog;

use crate::exit::Outcome;
use crate::output;
use crate::scope::Scope;

/// Compares two JSON reports, or two saved catalogs: what got weaker, what got stronger.
///
/// A door got weaker when less is known to hold it (proven, held, undecided, leak: in this order); so is a new door that
/// leaks or is undecided, and a new finding. Catalogs are audited first, without attacks; mixing a catalog with a report
/// whose attacks were run compares unlike things.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool diff main.json branch.json                        two reports of verify-isolation --format json
  rls-tool diff before.catalog.json after.catalog.json --role my_app

Exit status: 0 nothing got weaker; 1 something did; 2 a file could not be read.")]
pub(crate) struct Diff {
    /// The older report or catalog.
    old: PathBuf,
    /// The newer one.
    new: PathBuf,
    /// How the comparison is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Diff {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let (old, new) = (self.read(&self.old)?, self.read(&self.new)?);
        if old.roles != new.roles {
            output::note(format_args!(
                "note: the roles differ: {} before, {} now",
                old.roles.join(", "),
                new.roles.join(", ")
            ));
        }
        let comparison = Comparison::between(&old, &new);
        output::print(&match self.format {
            Format::Json => serde_json::to_string_pretty(&comparison)? + "\n",
            Format::Text => text(&comparison)?,
        })?;
        Ok(if comparison.weaker.is_empty() {
            Outcome::Done
        } else {
            Outcome::FallsShort
        })
    }

    fn read(&self, path: &Path) -> anyhow::Result<Report> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {name}"))?;
        // A report says of itself that it is one.
        if text.contains("\"schema_version\"") {
            return Ok(Report::from_json(&text, &name)?);
        }
        let catalog = Catalog::from_json(&text, &name)?;
        Ok(Audit::new().config(self.scope.config()?).run_offline(&catalog)?)
    }
}

fn text(comparison: &Comparison) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    if comparison.is_empty() {
        text.push_str("no difference\n");
    }
    for (title, changes) in [
        ("weaker", &comparison.weaker),
        ("stronger", &comparison.stronger),
        ("new and closed", &comparison.added),
    ] {
        if changes.is_empty() {
            continue;
        }
        writeln!(text, "{title}")?;
        for change in changes {
            one(change, &mut text)?;
        }
    }
    let count = |number: usize, word: &str| format!("{number} {word}");
    writeln!(
        text,
        "{}, {}, {}",
        count(comparison.weaker.len(), "weaker"),
        count(comparison.stronger.len(), "stronger"),
        count(comparison.added.len(), "new and closed")
    )?;
    Ok(text)
}

fn one(change: &Change, text: &mut String) -> std::fmt::Result {
    // Names come from the database: a control character must not reach the terminal.
    let tame = |text: &str| text.chars().flat_map(tamed).collect::<String>();
    let before = change.before.as_deref().unwrap_or("new");
    let after = change.after.as_deref().unwrap_or("gone");
    writeln!(text, "  {}: {before} -> {after}", tame(&change.what))?;
    writeln!(text, "      {}", tame(&change.reason))
}

fn tamed(c: char) -> Vec<char> {
    if c.is_control() {
        c.escape_unicode().collect()
    } else {
        vec![c]
    }
}
