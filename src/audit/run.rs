//! An audit from beginning to end: snapshot, model, checks, proofs, attacks, report.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::allowances;
use super::check::checks;
use super::context::Context;
use super::findings::Findings;
use super::verdicts::{Verdicts, merge_refutations};
use super::{Assumptions, Door, Finding, Origin, Proofs, Report, Severity, Summary};
use crate::attack;
use crate::catalog::{Catalog, LoadOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Config, Level, Model};

/// Whether attacks are run, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AttackMode {
    /// No attacks: catalog and proofs only.
    Off,
    /// In the audited database, in one transaction that is always rolled back.
    #[default]
    InPlace,
    /// In a copy of its schema on a throwaway server: see [`Audit::run_with_twin`].
    #[cfg(feature = "ephemeral")]
    Twin,
}

impl AttackMode {
    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::InPlace => "in-place",
            #[cfg(feature = "ephemeral")]
            Self::Twin => "twin",
        }
    }
}

/// An audit of one database.
///
/// ```no_run
/// # async fn example(client: &mut tokio_postgres::Client) -> rls_tool::Result<()> {
/// use rls_tool::audit::{Audit, Verdict};
///
/// let report = Audit::new().role("app_user").run(client).await?;
/// assert_eq!(report.verdict, Verdict::Isolated);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Audit {
    pub(super) config: Config,
    attack: AttackMode,
    statement_timeout: Option<Duration>,
    lock_timeout: Option<Duration>,
}

impl Audit {
    /// Time limit of one catalog query. Reading waits for no lock that ordinary sessions take.
    const CATALOG_TIMEOUT: Duration = Duration::from_mins(1);

    /// An audit with defaults: the tenant column `tenant_id`, the tenant setting `app.current_tenant`, roles detected,
    /// attacks in place.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over what was declared, in `rls.toml` say.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Audits this role; may be given several times.
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.config.roles.push(name.into());
        self
    }

    /// Whether attacks are run.
    pub fn attack(mut self, mode: AttackMode) -> Self {
        self.attack = mode;
        self
    }

    /// How long one statement may take: a query on the catalog (a minute unless told otherwise), an attack (5 s).
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = Some(limit);
        self
    }

    /// How long to wait for another session's lock: a minute for the catalog unless told otherwise, half a second for an
    /// attack, because somebody else may wait behind it.
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.lock_timeout = Some(limit);
        self
    }

    /// Runs the audit. Nothing is ever committed: the catalog is read in a READ ONLY transaction, attacks are rolled
    /// back.
    ///
    /// # Errors
    ///
    /// A connection that breaks, and what [`Model::build`] refuses.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future rolls back.
    pub async fn run(&self, client: &mut Client) -> Result<Report> {
        let start = Instant::now();
        let catalog = self.read_catalog(client).await?;
        let mut state = self.judge(&catalog)?;
        if self.attack == AttackMode::InPlace {
            let outcome = attack::run(client, &catalog, &state.model, &self.attack_options()).await;
            state.take(outcome)?;
        }
        Ok(self.report(start, &catalog, state, self.attack))
    }

    /// Reads the catalog alone, to be saved or audited later.
    ///
    /// # Errors
    ///
    /// As [`Catalog::load`].
    pub async fn read_catalog(&self, client: &mut Client) -> Result<Catalog> {
        let failed = |cause| Error::postgres("open the transaction that reads the catalog", cause);
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(failed)?;
        let catalog = self.read_catalog_within(&transaction).await?;
        transaction.rollback().await.map_err(failed)?;
        Ok(catalog)
    }

    /// As [`read_catalog`](Self::read_catalog), on a transaction that is open already: with what it changed so far.
    ///
    /// # Errors
    ///
    /// As [`Catalog::load`].
    pub async fn read_catalog_within(&self, transaction: &Transaction<'_>) -> Result<Catalog> {
        let statement = self
            .statement_timeout
            .unwrap_or(Self::CATALOG_TIMEOUT)
            .as_millis();
        let lock = self.lock_timeout.unwrap_or(Self::CATALOG_TIMEOUT).as_millis();
        let limits = format!(
            "set local statement_timeout = {statement}; set local lock_timeout = {lock}; \
             set local idle_in_transaction_session_timeout = {statement}"
        );
        transaction
            .batch_execute(&limits)
            .await
            .map_err(|cause| Error::postgres("set time limits for reading the catalog", cause))?;
        let options = LoadOptions {
            shown_settings: vec![self.config.tenant_setting().to_owned()],
        };
        Catalog::load(transaction, &options).await
    }

    /// Runs the audit on a transaction that is open already: with what it changed so far. Attacks are rolled back to a
    /// savepoint, so that the caller may commit or not, as the report says.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_within(&self, transaction: &mut Transaction<'_>) -> Result<Report> {
        let start = Instant::now();
        let catalog = self.read_catalog_within(transaction).await?;
        let mut state = self.judge(&catalog)?;
        if self.attack == AttackMode::InPlace {
            let savepoint = transaction
                .transaction()
                .await
                .map_err(|cause| Error::postgres("set a savepoint for the attacks", cause))?;
            let outcome = attack::run_within(savepoint, &catalog, &state.model, &self.attack_options()).await;
            state.take(outcome)?;
        }
        Ok(self.report(start, &catalog, state, self.attack))
    }

    /// The model as this audit sees the catalog.
    pub(super) fn model(&self, catalog: &Catalog) -> Result<Model> {
        Model::build(catalog, &self.config)
    }

    pub(super) fn attack_options(&self) -> attack::Options {
        let mut options = attack::Options::default();
        let limits = &mut options.limits;
        limits.statement = self.statement_timeout.unwrap_or(limits.statement);
        limits.lock = self.lock_timeout.unwrap_or(limits.lock);
        options
    }

    /// Audits a catalog that was read before: without attacks, whatever [`attack`](Self::attack) says.
    ///
    /// # Errors
    ///
    /// What [`Model::build`] refuses.
    pub fn run_offline(&self, catalog: &Catalog) -> Result<Report> {
        let start = Instant::now();
        let state = self.judge(catalog)?;
        Ok(self.report(start, catalog, state, AttackMode::Off))
    }

    /// What the catalog alone says.
    pub(super) fn judge(&self, catalog: &Catalog) -> Result<State> {
        let model = self.model(catalog)?;
        let allowed = self.config.allow.iter().map(|allowance| &allowance.check);
        for name in self.config.checks.keys().chain(allowed) {
            super::known(name)?;
        }
        let proofs = Proofs::new(catalog, &model);
        let context = Context::new(catalog, &model, &self.config, &proofs);
        let mut findings = Vec::new();
        for entry in checks() {
            (entry.item.run)(&context, &mut Findings::new(entry, &mut findings));
        }
        let mut verdicts = Verdicts::new(&model);
        verdicts.note_proofs(&proofs);
        Ok(State {
            verdicts,
            model,
            findings,
            attacks_run: 0,
            notes: catalog.unseen.clone(),
        })
    }

    pub(super) fn report(
        &self,
        start: Instant,
        catalog: &Catalog,
        state: State,
        attacks: AttackMode,
    ) -> Report {
        let State {
            model,
            mut findings,
            mut verdicts,
            attacks_run,
            notes,
        } = state;
        merge_refutations(&model, &mut findings);
        findings.retain_mut(|finding| self.apply_level(finding));
        let allowed = allowances::apply(
            &self.config,
            &catalog.server.database,
            &model,
            &mut findings,
            &mut verdicts,
        );
        verdicts.note_findings(catalog, &model, &findings);
        verdicts.doubt_views(&model);
        let counted = Summary {
            tables: model
                .tables
                .iter()
                .filter(|table| table.part_of.is_none())
                .count(),
            attacks_run,
            elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..Summary::default()
        };
        let roles = model.roles.iter().map(|role| role.name.clone()).collect();
        let doors = verdicts.into_doors(&model);
        let assumptions = Assumptions::new(catalog, &model, &self.config);
        let mut report = Report::new(roles, model.tenant_setting, findings, doors, counted);
        report.allowed = allowed;
        report.notes = notes;
        report.assumptions = assumptions;
        report.origin = Origin::new(catalog, attacks);
        report
    }

    /// Gives the finding the severity that `rls.toml` wants for its check; false where it wants none.
    fn apply_level(&self, finding: &mut Finding) -> bool {
        match self.config.checks.get(&finding.check) {
            None => return true,
            Some(Level::Off) => return false,
            Some(Level::Info) => finding.severity = Severity::Info,
            Some(Level::Warning) => finding.severity = Severity::Warning,
            Some(Level::Error) => finding.severity = Severity::Error,
        }
        true
    }
}

/// Why not one attack was run, where there was something to attack: doors that are proven would not show it.
fn none_run(outcome: &attack::Outcome) -> Option<String> {
    if outcome.attacks_run > 0 {
        return None;
    }
    // A table's own reason says more than what follows from it.
    let own = |door: &&Door| {
        door.reason.starts_with("no rows could be made") && !door.reason.contains("it refers to")
    };
    let doors = &outcome.doors;
    let door = doors.iter().find(own).or_else(|| doors.first())?;
    Some(format!(
        "no attack was run: {}: {}; a superuser can run them, and a role with BYPASSRLS that may become the audited one",
        door.object, door.reason
    ))
}

/// What is known so far.
pub(super) struct State {
    pub(super) model: Model,
    findings: Vec<Finding>,
    verdicts: Verdicts,
    attacks_run: usize,
    pub(super) notes: Vec<String>,
}

impl State {
    /// Takes over what the attacks found. Where they could not be run, the doors stay undecided and the report says why;
    /// only a connection that is gone is an error.
    pub(super) fn take(&mut self, outcome: Result<attack::Outcome>) -> Result<()> {
        match outcome {
            Ok(outcome) => {
                self.attacks_run = outcome.attacks_run;
                self.notes.extend(none_run(&outcome));
                self.findings.extend(outcome.findings);
                for (index, door) in outcome.doors.into_iter().enumerate() {
                    self.verdicts.note(index, door.verdict, door.reason);
                }
                Ok(())
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Closed | ErrorKind::Connect | ErrorKind::Internal
                ) =>
            {
                Err(error)
            }
            Err(error) => {
                self.notes.push(format!("no attacks were run: {}", error.chain()));
                self.notes.extend(error.help().map(str::to_owned));
                Ok(())
            }
        }
    }
}
