//! What is audited and how findings count: the flags that every auditing command shares, over `rls.toml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use rls_tool::audit::{AttackMode, Audit, Report};
use rls_tool::catalog::Catalog;
use rls_tool::migrate::Source;
use rls_tool::model::{Config, Level};
use tokio_postgres::Client;

use crate::database::Database;
use crate::duration::duration;
use crate::output;

/// What is audited.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is audited")]
pub(crate) struct Scope {
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

    /// A further setting that binds a session, such as 'request.jwt.claims={"sub":"{user}"}'; {tenant} and {user}
    /// stand for the tenant's values. May be given several times.
    #[arg(long, value_name = "NAME=TEMPLATE")]
    bind: Vec<String>,

    /// What cannot be seen in the database, declared. Default: ./rls.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Drop this check's findings; may be given several times, as may -W and -D. They win over rls.toml.
    #[arg(short = 'A', long, value_name = "CHECK", help_heading = "Levels")]
    allow: Vec<String>,

    /// Make this check's findings warnings.
    #[arg(short = 'W', long, value_name = "CHECK", help_heading = "Levels")]
    warn: Vec<String>,

    /// Make this check's findings errors.
    #[arg(short = 'D', long, value_name = "CHECK", help_heading = "Levels")]
    deny: Vec<String>,
}

impl Scope {
    /// `rls.toml`, with what the flags say instead.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
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
        for (names, level) in [
            (&self.allow, Level::Off),
            (&self.warn, Level::Warning),
            (&self.deny, Level::Error),
        ] {
            for name in names {
                rls_tool::audit::known(name)?;
                config.checks.insert(name.clone(), level);
            }
        }
        Ok(config)
    }
}

/// An audit, of a database or of a saved catalog.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) database: Database,

    #[command(flatten)]
    pub(crate) scope: Scope,

    /// Whether attacks are run, and where. In place they need a superuser, or a role with BYPASSRLS that may become
    /// the audited one.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) attack: Attack,

    /// How long one statement may take. Default: 5s for an attack, 1min for a query on the catalog.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Connection")]
    statement_timeout: Option<Duration>,

    /// How long to wait for a lock. Default: 500ms for an attack, because somebody else may wait behind it.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Connection")]
    lock_timeout: Option<Duration>,

    /// Audit a saved catalog instead of a database; without attacks.
    #[arg(long, value_name = "FILE")]
    pub(crate) catalog: Option<PathBuf>,

    /// A folder of SQL files in which to look for the statement behind a finding; may be given several times.
    /// Default: ./policies and ./migrations, if they exist.
    #[arg(long, value_name = "DIR")]
    sources: Vec<PathBuf>,
}

/// Whether attacks are run, and where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attack {
    /// In one transaction of the database, always rolled back.
    #[default]
    InPlace,
    /// In a copy of its schema on a throwaway server: the database is only read. Needs pg_dump.
    Twin,
    /// Catalog and proofs only.
    Off,
}

impl AuditArgs {
    /// The audit that the flags describe.
    pub(crate) fn audit(&self, config: Config) -> Audit {
        let mut audit = Audit::new().config(config);
        if self.attack == Attack::Off {
            audit = audit.attack(AttackMode::Off);
        }
        if let Some(limit) = self.statement_timeout {
            audit = audit.statement_timeout(limit);
        }
        if let Some(limit) = self.lock_timeout {
            audit = audit.lock_timeout(limit);
        }
        audit
    }

    /// Audits the database or the saved catalog.
    pub(crate) async fn report(&self) -> anyhow::Result<Report> {
        let audit = self.audit(self.scope.config()?);
        match &self.catalog {
            Some(path) => self.finish(audit.run_offline(&read_catalog(path)?)?),
            None => self.report_on(&audit, &mut self.database.connect().await?).await,
        }
    }

    /// Audits the database that the client is connected to.
    pub(crate) async fn report_on(&self, audit: &Audit, client: &mut Client) -> anyhow::Result<Report> {
        let progress = output::progress("auditing");
        let report = match self.attack {
            Attack::Twin => audit.run_with_twin(client, &self.database.options()?).await?,
            Attack::InPlace | Attack::Off => audit.run(client).await?,
        };
        drop(progress);
        self.finish(report)
    }

    /// Adds where things were written.
    pub(crate) fn finish(&self, mut report: Report) -> anyhow::Result<Report> {
        output::detail(format_args!(
            "audited in {} ms: {} doors, {} attacks",
            report.summary.elapsed_ms, report.summary.doors, report.summary.attacks_run
        ));
        report.locate(&sources(&self.sources)?);
        Ok(report)
    }
}

/// The SQL files of the folders named, else of ./policies and ./migrations: policies first.
fn sources(named: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let folders = if named.is_empty() {
        match Source::resolve(None, None) {
            Source::Folders { migrations, policies } => policies.into_iter().chain(migrations).collect(),
            _ => Vec::new(),
        }
    } else {
        named.to_vec()
    };
    let mut files = Vec::new();
    for folder in folders {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("failed to read {}", folder.display()))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|found| found == "sql"))
        {
            // What is no text holds no statement; it is `migrate` that complains about it.
            if let Ok(text) = std::fs::read_to_string(path) {
                files.push((path.display().to_string(), text));
            }
        }
    }
    Ok(files)
}

pub(crate) fn read_catalog(path: &Path) -> anyhow::Result<Catalog> {
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    Ok(Catalog::from_json(&text, &path.display().to_string())?)
}
