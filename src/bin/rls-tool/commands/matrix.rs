//! `rls-tool matrix`: who can reach what.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use rls_tool::model::Pattern;
use rls_tool::report::{Matrix, MatrixFormat, Style};

use crate::exit::Outcome;
use crate::output;
use crate::scope::AuditArgs;

/// Prints who can reach what: roles by objects by commands, with what is known about each door.
///
/// From the same model, proofs and attacks as verify-isolation.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool matrix --role my_app
  rls-tool matrix --role my_app --role reporting --table 'app.inv*' --format csv

Exit status: 0 printed, whatever it says; 2 the audit could not be done.")]
pub(crate) struct MatrixCommand {
    #[command(flatten)]
    audit: AuditArgs,

    /// Only objects of this name, in which * stands for anything; may be given several times.
    #[arg(long, value_name = "SCHEMA.NAME")]
    table: Vec<String>,

    /// How the matrix is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write it to a file instead of stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Markdown,
    Csv,
    Json,
}

impl MatrixCommand {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let report = self.audit.report().await?;
        let patterns: Vec<_> = self
            .table
            .iter()
            .map(|name| Pattern::from(name.as_str()))
            .collect();
        let matrix = Matrix::new(&report, |object| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(object))
        });
        if matrix.is_empty() {
            output::note("no door fits: see --explain-model of verify-isolation");
        }
        let format = match self.format {
            Format::Text => MatrixFormat::Text,
            Format::Markdown => MatrixFormat::Markdown,
            Format::Csv => MatrixFormat::Csv,
            Format::Json => MatrixFormat::Json,
        };
        let style = match self.output {
            None => output::style(),
            Some(_) => Style::Plain,
        };
        output::write(self.output.as_deref(), &matrix.render(format, style)?)?;
        Ok(Outcome::Done)
    }
}
