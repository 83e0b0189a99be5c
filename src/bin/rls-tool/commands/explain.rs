//! `rls-tool explain`: the page of one check or attack, with its examples.

use std::fmt::Write as _;

use clap::Args;
use rls_tool::audit::{Page, known, page};

use crate::exit::Outcome;
use crate::output;

/// Explains a check or an attack: what it does, why it matters, how to fix what it finds, with a schema at fault and its
/// cure.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The check's name, as in a finding.
    #[arg(value_name = "CHECK")]
    name: String,
}

impl Explain {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        known(&self.name)?;
        let text = match page(&self.name) {
            Some(found) => write(&self.name, &found)?,
            None => String::new(),
        };
        output::print(&text)?;
        Ok(Outcome::Done)
    }
}

fn write(name: &str, page: &Page) -> Result<String, std::fmt::Error> {
    let mut text = format!("# {name}\n\n{}\n", page.text.trim_end());
    for (title, files) in [("At fault", page.bad), ("In order", page.good)] {
        for (file, sql) in files {
            writeln!(text, "\n## {title} ({file})\n\n```sql\n{}\n```", sql.trim_end())?;
        }
    }
    Ok(text)
}
