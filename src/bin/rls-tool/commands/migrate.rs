//! `rls-tool migrate`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use rls_tool::migrate::{MigrationReport, Migrator, Source, Status};

use crate::database::Database;
use crate::duration::duration;
use crate::exit::Outcome;
use crate::output::{note, print};

/// Apply migrations, then policies, in one transaction.
///
/// Migrations (V<n>__<name>.sql) are Refinery's, with its history table. Policies (<table>.sql) are wanted state: a changed
/// file is applied again, and so is one whose policies were changed in the database by hand. Any number of runs may start
/// at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 done, or nothing to do; 2 a file or the database refused, with what is in effect and what is not.
`migrate status`: 0 the live policies are as applied; 1 they drifted; 2 a run would be refused.

First-line comments in a file:
  -- rls-tool: no-transaction   run it outside a transaction (CREATE INDEX CONCURRENTLY, VACUUM, …)
  -- rls-tool: rls-aware        changing no row under row security is right here
  -- rls-tool: table app.x      (policies) the table, where the file's name cannot say it")]
pub(crate) struct Migrate {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    files: FileArgs,
    /// Run everything in a transaction that is rolled back, and print the SQL.
    #[arg(long)]
    dry_run: bool,
    /// Stop at this version. Policies are applied to the tables that exist by then.
    #[arg(long, value_name = "N")]
    target: Option<i64>,
    /// How long to wait for a lock: 10s, 500ms, 2min; a bare number is milliseconds, 0 is without limit.
    /// Default: 10s for a table, 10min for another run to end.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    lock_timeout: Option<Duration>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What is applied, pending, changed since, and where live policies differ from their files. Changes nothing.
    Status(StatusArgs),
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Where the files and their history are.
#[derive(Debug, Args)]
struct FileArgs {
    /// The folder of the migrations. Default: ./migrations; with --policies, the folder "migrations" beside it.
    /// Where neither ./migrations nor ./policies exists, the reference schema that is built in is applied.
    #[arg(long, value_name = "DIR", global = true)]
    migrations: Option<PathBuf>,
    /// The folder of the policies. Default: ./policies; with --migrations, the folder "policies" beside it.
    #[arg(long, value_name = "DIR", global = true)]
    policies: Option<PathBuf>,
    /// The schema of the history tables. Default: where they are, else the first of search_path.
    #[arg(long, value_name = "SCHEMA", global = true)]
    history_schema: Option<String>,
}

impl Migrate {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        self.require_run_flags_on_a_run()?;
        let source = Source::resolve(self.files.migrations, self.files.policies);
        let mut migrator = Migrator::new(source)?
            .history_schema(self.files.history_schema)
            .target(self.target)
            .dry_run(self.dry_run);
        if let Some(limit) = self.lock_timeout {
            migrator = migrator.lock_timeout(limit);
        }
        let options = self.database.options()?;
        note(format_args!("files: {}", migrator.source()));
        note(format_args!("database: {options}"));
        let mut client = self.database.connect().await?;
        if let Some(Command::Status(arguments)) = self.command {
            return show(&migrator.status(&mut client).await?, arguments.format);
        }
        let report = migrator.run(&mut client).await?;
        for skipped in &report.skipped {
            note(format_args!("left out {}: {}", skipped.file, skipped.reason));
        }
        for warning in &report.warnings {
            note(format_args!("warning: {warning}"));
        }
        print(&if self.dry_run {
            script(&report)?
        } else {
            summary(&report)?
        })?;
        Ok(Outcome::Done)
    }
}

impl Migrate {
    /// They stand before the subcommand too, where clap takes them.
    fn require_run_flags_on_a_run(&self) -> anyhow::Result<()> {
        let given = [
            (self.dry_run, "--dry-run"),
            (self.target.is_some(), "--target"),
            (self.lock_timeout.is_some(), "--lock-timeout"),
        ];
        match given.iter().find(|(given, _)| *given && self.command.is_some()) {
            Some((_, flag)) => bail!("`migrate status` changes nothing and takes no {flag}"),
            None => Ok(()),
        }
    }
}

fn show(status: &Status, format: Format) -> anyhow::Result<Outcome> {
    match format {
        Format::Text => print(&status.to_string())?,
        Format::Json => print(&(serde_json::to_string_pretty(status)? + "\n"))?,
    }
    if let Some(refusal) = &status.refusal {
        bail!("`rls-tool migrate` would be refused: {refusal}");
    }
    let drift = status.drift().count();
    if drift > 0 {
        note(format_args!(
            "drift: {drift}; `rls-tool migrate` puts the policies right"
        ));
        return Ok(Outcome::FallsShort);
    }
    match status.pending() {
        0 => note("nothing to do"),
        pending => note(format_args!("pending: {pending}")),
    }
    Ok(Outcome::Done)
}

/// The dry run's SQL, as a script that could be run.
fn script(report: &MigrationReport) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for ran in report.migrations.iter().chain(&report.policies) {
        writeln!(text, "-- {}\n{}", ran.file, ran.sql.trim_end())?;
        if !ran.sql.trim_end().ends_with(';') {
            text.push_str(";\n");
        }
        text.push('\n');
    }
    writeln!(text, "-- dry run, rolled back: {}", counts(report))?;
    Ok(text)
}

fn summary(report: &MigrationReport) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for ran in &report.migrations {
        writeln!(text, "applied {}", ran.file)?;
    }
    for ran in &report.policies {
        let reason = ran.reason.as_deref().unwrap_or_default();
        writeln!(text, "applied {} ({reason})", ran.file)?;
    }
    text.push_str(&counts(report));
    text.push('\n');
    Ok(text)
}

fn counts(report: &MigrationReport) -> String {
    if report.is_empty() {
        return "nothing to do".to_owned();
    }
    format!(
        "{} migrations, {} policy files",
        report.migrations.len(),
        report.policies.len()
    )
}
