//! `rls-tool explain`: the page of one check or attack, with its examples.

use std::fmt::Write as _;

use clap::Args;
use rls_tool::audit::{check, known};

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

type Files = &'static [(&'static str, &'static str)];

impl Explain {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        known(&self.name)?;
        let attack = rls_tool::attack::probes()
            .iter()
            .find(|probe| probe.name == self.name);
        let text = match (check(&self.name), attack) {
            (Some(check), _) => page(check.name, check.page, check.bad, check.good)?,
            (None, Some(probe)) => page(probe.name, probe.page, probe.bad, probe.good)?,
            (None, None) => String::new(),
        };
        output::print(&text)?;
        Ok(Outcome::Done)
    }
}

fn page(name: &str, page: &str, bad: Files, good: Files) -> Result<String, std::fmt::Error> {
    let mut text = format!("# {name}\n\n{}\n", page.trim_end());
    for (title, files) in [("At fault", bad), ("In order", good)] {
        for (file, sql) in files {
            writeln!(text, "\n## {title} ({file})\n\n```sql\n{}\n```", sql.trim_end())?;
        }
    }
    Ok(text)
}
