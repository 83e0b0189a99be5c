//! `rls-tool schema`: the JSON Schemas of what is written and read.

use clap::{Args, ValueEnum};

use crate::exit::Outcome;
use crate::output;

/// Prints the JSON Schema of the JSON report, or of rls.toml.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool schema report > report.schema.json
  rls-tool schema config > rls.schema.json      for editors: put `#:schema ./rls.schema.json` into rls.toml")]
pub(crate) struct Schema {
    /// Which.
    #[arg(value_enum)]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// What verify-isolation --format json writes.
    Report,
    /// What rls.toml may hold.
    Config,
}

impl Schema {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        output::print(match self.of {
            Of::Report => include_str!("../../../../docs/report.schema.json"),
            Of::Config => include_str!("../../../../docs/rls.schema.json"),
        })?;
        Ok(Outcome::Done)
    }
}
