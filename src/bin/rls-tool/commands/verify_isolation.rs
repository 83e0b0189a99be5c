//! `rls-tool verify-isolation`: the audit.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use rls_tool::audit::{AttackMode, Audit, DoorVerdict, Report, Severity, Verdict};
use rls_tool::catalog::Catalog;
use rls_tool::model::{Config, Model};
use rls_tool::report::{Format, Style};

use crate::cli::Database;
use crate::exit::Outcome;
use crate::output;

/// Audits a database: can a role, bound to one tenant, read, change or learn about another tenant's rows, by any path?
///
/// Nothing is ever committed there.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 no finding at or above --fail-on; 1 findings, or undecided doors with --require-decided;
2 the audit could not be done, or not one door of an audited role could be decided.")]
pub(crate) struct VerifyIsolation {
    #[command(flatten)]
    database: Database,

    /// The role that the application connects as; may be given several times. Default: from rls.toml, else detected.
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,

    /// The column that says whose row it is, spelled as in the database ("tenantId"). Default: tenant_id.
    #[arg(long, value_name = "COLUMN")]
    tenant_column: Option<String>,

    /// The setting that says who is asking. Default: app.current_tenant.
    #[arg(long, value_name = "NAME")]
    tenant_setting: Option<String>,

    /// Only tables of this schema; may be given several times. Default: all but PostgreSQL's own.
    #[arg(long, value_name = "SCHEMA")]
    schema: Vec<String>,

    /// Whether attacks are run. They need a superuser or the tables' owner.
    #[arg(long, value_enum, default_value_t)]
    attack: Attack,

    /// A further setting that binds a session, such as 'request.jwt.claims={"sub":"{user}"}'; {tenant} and {user}
    /// stand for the tenant's values. May be given several times.
    #[arg(long, value_name = "NAME=TEMPLATE")]
    bind: Vec<String>,

    /// How the report is written.
    #[arg(long, value_parser = formats(), default_value_t = Format::Text)]
    format: Format,

    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The severity from which findings make the exit status 1.
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,

    /// Undecided doors make the exit status 1.
    #[arg(long)]
    require_decided: bool,

    /// What cannot be seen in the database, declared. Default: ./rls.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Save the catalog that was read, to be audited offline.
    #[arg(long, value_name = "FILE", conflicts_with = "catalog")]
    save_catalog: Option<PathBuf>,

    /// Audit a saved catalog instead of a database; without attacks.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,

    /// Print what is taken for tenant-scoped, which roles and doors there are, and why; no audit.
    #[arg(long)]
    explain_model: bool,
}

/// Whether attacks are run, and where.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Attack {
    /// In one transaction of the database, always rolled back.
    #[default]
    InPlace,
    /// Catalog and proofs only.
    Off,
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
        let config = self.config()?;
        let mut audit = Audit::new().config(config.clone());
        if let Attack::Off = self.attack {
            audit = audit.attack(AttackMode::Off);
        }
        let report = if let Some(path) = &self.catalog {
            let catalog = read_catalog(path)?;
            if self.explain_model {
                return explain(&catalog, &config);
            }
            audit.run_offline(&catalog)?
        } else {
            let mut client = self.database.options()?.connect().await?;
            if self.explain_model {
                return explain(&audit.read_catalog(&mut client).await?, &config);
            }
            if let Some(path) = &self.save_catalog {
                save_catalog(path, &audit.read_catalog(&mut client).await?)?;
            }
            audit.run(&mut client).await?
        };
        self.write(&report)?;
        self.outcome(&report)
    }

    /// `rls.toml`, with what the flags say instead.
    fn config(&self) -> anyhow::Result<Config> {
        let default = Path::new("rls.toml");
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None if default.exists() => Config::read(default)?,
            None => Config::default(),
        };
        if !self.role.is_empty() {
            config.roles.clone_from(&self.role);
        }
        if !self.schema.is_empty() {
            config.schemas.clone_from(&self.schema);
        }
        config.tenant_column = self.tenant_column.clone().or(config.tenant_column);
        config.tenant_setting = self.tenant_setting.clone().or(config.tenant_setting);
        for binding in &self.bind {
            let Some((name, template)) = binding.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                bail!("--bind {binding:?} is not of the form NAME=TEMPLATE");
            };
            let bindings = config.binding.get_or_insert_default();
            bindings.settings.insert(name.to_owned(), template.to_owned());
        }
        Ok(config)
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let style = match &self.output {
            None if output::colour() => Style::Coloured,
            _ => Style::Plain,
        };
        let text = report.render(self.format, style)?;
        match &self.output {
            None => output::print(&text)?,
            Some(path) => {
                std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))?;
            }
        }
        Ok(())
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

fn read_catalog(path: &Path) -> anyhow::Result<Catalog> {
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    Ok(Catalog::from_json(&text, &path.display().to_string())?)
}

fn save_catalog(path: &Path, catalog: &Catalog) -> anyhow::Result<()> {
    std::fs::write(path, catalog.to_json()?).with_context(|| format!("failed to write {}", path.display()))
}

fn explain(catalog: &Catalog, config: &Config) -> anyhow::Result<Outcome> {
    let model = Model::build(catalog, config)?;
    output::print(&model.explain(catalog).to_string())?;
    Ok(Outcome::Done)
}
