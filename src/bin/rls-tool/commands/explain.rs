//! `rls-tool explain`: the page of one check, with its examples.

use std::fmt::Write as _;

use clap::Args;
use rls_tool::audit::{Entry, check};

use crate::exit::Outcome;
use crate::output;

/// Explains a check: what it does, why it matters, how to fix what it finds, with a schema at fault and its cure.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The check's name, as in a finding.
    #[arg(value_name = "CHECK")]
    name: String,
}

impl Explain {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        output::print(&page(check(&self.name)?)?)?;
        Ok(Outcome::Done)
    }
}

fn page(entry: &Entry) -> Result<String, std::fmt::Error> {
    let mut text = format!("# {}\n\n{}\n", entry.name, entry.page.trim_end());
    for (title, files) in [("At fault", entry.bad), ("In order", entry.good)] {
        for (file, sql) in files {
            writeln!(text, "\n## {title} ({file})\n\n```sql\n{}\n```", sql.trim_end())?;
        }
    }
    Ok(text)
}
