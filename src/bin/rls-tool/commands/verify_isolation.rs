//! `rls-tool verify-isolation`: the audit.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use rls_tool::audit::{Audit, Baseline, DoorVerdict, Fate, Report, Severity, Verdict};
use rls_tool::catalog::Catalog;
use rls_tool::model::{Config, Model};
use rls_tool::report::{Format, Style};

use crate::exit::Outcome;
use crate::output;
use crate::scope::{Attack, AuditArgs, read_catalog};

/// Audits a database: can a role, bound to one tenant, read, change or learn about another tenant's rows, by any path?
///
/// Nothing is ever committed there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool verify-isolation --database-url postgres://admin@host/db --role my_app
  rls-tool verify-isolation --format html --output report.html
  rls-tool verify-isolation --save-baseline rls-baseline.json      accept what is known today
  rls-tool verify-isolation --baseline rls-baseline.json           fail on what is new
  rls-tool verify-isolation --save-catalog now.json --attack off   for `rls-tool diff`, or to audit elsewhere
  rls-tool verify-isolation --attack twin                          production is only read
  rls-tool verify-isolation --self-test                            does the audit notice defects?

Exit status: 0 no finding at or above --fail-on, apart from what --baseline knows (--save-baseline
knows all); 1 findings, undecided doors with --require-decided, or a defect that --self-test missed;
2 the audit could not be done, or not one door of an audited role could be decided.")]
pub(crate) struct VerifyIsolation {
    #[command(flatten)]
    audit: AuditArgs,

    /// How the report is written.
    #[arg(long, value_parser = formats(), default_value_t = Format::Text, help_heading = "Report")]
    format: Format,

    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    /// The severity from which findings make the exit status 1.
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    fail_on: FailOn,

    /// Undecided doors make the exit status 1.
    #[arg(long, help_heading = "Report")]
    require_decided: bool,

    /// Findings that are known: a file of --save-baseline, or a JSON report. Only others are reported.
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    baseline: Option<PathBuf>,

    /// Save the findings as a baseline, and from then on know them: they do not fail, in this run either.
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    save_baseline: Option<PathBuf>,

    /// Save the catalog that was read, to be audited offline.
    #[arg(long, value_name = "FILE", conflicts_with = "catalog")]
    save_catalog: Option<PathBuf>,

    /// Break each policy, grant and option in turn, in transactions that are rolled back, and check that the audit
    /// notices. It locks the tables that it alters: for CI, a copy of the database, or with --attack twin.
    #[arg(long, conflicts_with_all = ["catalog", "save_catalog", "explain_model"])]
    self_test: bool,

    /// Print what is taken for tenant-scoped, which roles and doors there are, and why; no audit.
    #[arg(long)]
    explain_model: bool,
}

/// From which severity on findings fail.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum FailOn {
    /// Rows of another tenant are read or changed.
    #[default]
    Error,
    /// Or their existence or volume can be learned.
    Warning,
    /// Findings never do.
    Never,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .try_map(|name| name.parse::<Format>())
}

impl VerifyIsolation {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let config = self.audit.scope.config()?;
        let baseline = self.baseline.as_deref().map(read_baseline).transpose()?;
        let audit = self.audit.audit(config.clone());
        let mut report = if let Some(path) = &self.audit.catalog {
            let catalog = read_catalog(path)?;
            if self.explain_model {
                return explain(&catalog, &config);
            }
            self.audit.finish(audit.run_offline(&catalog)?)?
        } else {
            let mut client = self.audit.database.connect().await?;
            if self.explain_model {
                return explain(&audit.read_catalog(&mut client).await?, &config);
            }
            if self.self_test {
                return Box::pin(self.test_itself(&audit, &mut client)).await;
            }
            if let Some(path) = &self.save_catalog {
                save_catalog(path, &audit.read_catalog(&mut client).await?)?;
            }
            self.audit.report_on(&audit, &mut client).await?
        };
        if let Some(path) = &self.save_baseline {
            let baseline = Baseline::of(&report);
            output::write(Some(path), &baseline.to_json()?)?;
            let (path, count) = (path.display(), baseline.len());
            output::note(format_args!("{path}: known findings: {count}"));
            report.apply_baseline(&baseline);
        } else if let Some(baseline) = &baseline {
            report.apply_baseline(baseline);
        }
        self.write(&report)?;
        self.outcome(&report)
    }

    async fn test_itself(
        &self,
        audit: &Audit,
        client: &mut tokio_postgres::Client,
    ) -> anyhow::Result<Outcome> {
        let progress = output::progress("breaking it on purpose");
        let result = match self.audit.attack {
            Attack::Twin => {
                let options = self.audit.database.options()?;
                audit.self_test_with_twin(client, &options).await?
            }
            Attack::InPlace | Attack::Off => audit.self_test(client).await?,
        };
        drop(progress);
        let text = match self.format {
            Format::Json => serde_json::to_string_pretty(&result)?,
            _ => result.to_string(),
        };
        output::write(self.output.as_deref(), &format!("{text}\n"))?;
        if result.count(Fate::Noticed) == 0 {
            bail!(
                "nothing could be broken: there is no table with row security that an audited role reaches"
            );
        }
        Ok(if result.count(Fate::Missed) + result.count(Fate::Masked) > 0 {
            Outcome::FallsShort
        } else {
            Outcome::Done
        })
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let style = match &self.output {
            None => output::style(),
            Some(_) => Style::Plain,
        };
        output::write(self.output.as_deref(), &report.render(self.format, style)?)
    }

    fn outcome(&self, report: &Report) -> anyhow::Result<Outcome> {
        let fails = match self.fail_on {
            FailOn::Error => report.fails_on(Severity::Error),
            FailOn::Warning => report.fails_on(Severity::Warning),
            FailOn::Never => false,
        };
        if fails {
            return Ok(Outcome::FallsShort);
        }
        if report.verdict == Verdict::Undecided {
            let open: Vec<_> = report.undecided_roles().collect();
            bail!(
                "nothing was verified: not one door of {} could be decided",
                open.join(", ")
            );
        }
        let undecided = report
            .doors
            .iter()
            .any(|door| door.verdict == DoorVerdict::Undecided);
        if self.require_decided && undecided {
            return Ok(Outcome::FallsShort);
        }
        Ok(Outcome::Done)
    }
}

fn read_baseline(path: &Path) -> anyhow::Result<Baseline> {
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    Ok(Baseline::from_json(&text, &path.display().to_string())?)
}

fn save_catalog(path: &Path, catalog: &Catalog) -> anyhow::Result<()> {
    std::fs::write(path, catalog.to_json()?).with_context(|| format!("failed to write {}", path.display()))
}

fn explain(catalog: &Catalog, config: &Config) -> anyhow::Result<Outcome> {
    let model = Model::build(catalog, config)?;
    output::print(&model.explain(catalog).to_string())?;
    Ok(Outcome::Done)
}
