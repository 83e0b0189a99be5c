//! The run: opens the sandbox, sets the scene, tries every door, and judges.
//!
//! Order matters. A custom setting that was set once is never "never set" again in its session, so the attempts that
//! need it come first; statements without WHERE come last, and only where the door has been shown to reach no row
//! but the session's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::{Client, Transaction};

use super::attempt::{Attempt, Judgement, Sign, State};
use super::doors::Aim;
use super::marks::Marks;
use super::options::Options;
use super::outcome::{self, Ledger, Outcome};
use super::rows::Seed;
use super::sandbox::Sandbox;
use super::session::{Bindings, Session};
use super::stage::Stage;
use super::{control, evidence, probes, sandbox, settings, worlds};
use crate::audit::Finding;
use crate::catalog::{Catalog, Oid};
use crate::error::{ErrorKind, Result};
use crate::model::{Model, ModelDoor};

/// Attacks every door of the model in one transaction on `client`, which is always rolled back.
///
/// For the state "never set" the session must be fresh: one that has set the tenant setting leaves doors undecided.
///
/// # Errors
///
/// Where the connection breaks, or no sandbox can be opened. What PostgreSQL refuses is part of the outcome.
///
/// # Cancel safety
///
/// Dropping the future rolls back.
pub async fn run(
    client: &mut Client,
    catalog: &Catalog,
    model: &Model,
    options: &Options,
) -> Result<Outcome> {
    let transaction = sandbox::begin(client).await?;
    run_within(transaction, catalog, model, options).await
}

/// Like [`run`], in a transaction that is open already, or a savepoint in one; it is rolled back at the end.
///
/// # Errors
///
/// As [`run`].
pub async fn run_within(
    transaction: Transaction<'_>,
    catalog: &Catalog,
    model: &Model,
    options: &Options,
) -> Result<Outcome> {
    let sandbox = match Sandbox::open(transaction, options.limits).await {
        Ok(sandbox) => sandbox,
        // A standby, or a role that may not even make a temporary table: nothing can be tried, and that is the outcome.
        Err(error) if error.kind() == ErrorKind::Permission => {
            return Ok(Outcome::untried(model, &error.chain()));
        }
        Err(error) => return Err(error),
    };
    let outcome = attack(&sandbox, catalog, model, options).await;
    // Also after an error, and then the error is what matters.
    let closed = sandbox.close().await;
    outcome.and_then(|outcome| closed.map(|()| outcome))
}

async fn attack(
    sandbox: &Sandbox<'_>,
    catalog: &Catalog,
    model: &Model,
    options: &Options,
) -> Result<Outcome> {
    let seed = match options.seed {
        Some(seed) => Seed::fixed(seed),
        None => Seed::random()?,
    };
    let bindings = Bindings::new(model);
    sandbox
        .must("mark the start of the attacks", evidence::MARK)
        .await?;
    let stage = Stage::build(sandbox, catalog, model, &bindings, (seed, true)).await?;
    let bindings = bindings.with_users(stage.users(catalog, model));
    let settings = settings::read_by_policies(catalog, model);
    let mut sessions = BTreeMap::new();
    let mut becoming = BTreeMap::new();
    for role in &model.roles {
        let session = Session::new(catalog, role.oid, sandbox.standing(), bindings.clone())?;
        let session = session.map(|session| session.inviting(settings.clone()));
        for &(next, _) in &role.becomes {
            if let Ok(session) = &session {
                becoming.insert((role.oid, next), session.becoming(catalog.role_name(next))?);
            }
        }
        sessions.insert(role.oid, session);
    }
    let mut run = Run {
        sandbox,
        catalog,
        model,
        stage: &stage,
        marks: Arc::new(Marks::of(&stage.scene)),
        sessions,
        becoming,
        ledgers: model.doors.iter().map(|_| Ledger::default()).collect(),
        observed: Vec::new(),
        attacks: 0,
        options,
    };
    let mut findings = Vec::new();
    run.phase(Phase::NeverSet).await?;
    findings.extend(evidence::collect(&mut run).await?);
    run.phase(Phase::Main).await?;
    run.phase(Phase::Unbounded).await?;
    findings.extend(evidence::collect(&mut run).await?);
    findings.extend(worlds::compare(&mut run).await?);
    Ok(run.outcome(evidence::fold(findings)))
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NeverSet,
    Main,
    Unbounded,
}

impl Phase {
    fn of(attempt: &Attempt) -> Self {
        match (attempt.state, attempt.unbounded) {
            (_, true) => Self::Unbounded,
            (State::NeverSet, false) => Self::NeverSet,
            _ => Self::Main,
        }
    }
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) sandbox: &'a Sandbox<'a>,
    pub(super) catalog: &'a Catalog,
    pub(super) model: &'a Model,
    pub(super) stage: &'a Stage,
    /// What tells the tenants' rows.
    pub(super) marks: Arc<Marks>,
    pub(super) sessions: BTreeMap<Oid, std::result::Result<Session, String>>,
    /// Sessions that go on to become another role, by both roles.
    pub(super) becoming: BTreeMap<(Oid, Oid), Session>,
    pub(super) ledgers: Vec<Ledger>,
    pub(super) options: &'a Options,
    /// What came back where it must not depend on the other tenant's rows.
    pub(super) observed: Vec<worlds::Observed>,
    pub(super) attacks: usize,
}

/// Doors that are planned and tried together: memory stays flat however many there are.
const BATCH: usize = 16;

/// An attempt that waits: the door, the probe (none for the control), the attempt.
type Waiting = (usize, Option<usize>, Attempt);

impl Run<'_> {
    async fn phase(&mut self, phase: Phase) -> Result<()> {
        for start in (0..self.model.doors.len()).step_by(BATCH) {
            let end = (start + BATCH).min(self.model.doors.len());
            let mut waiting: Vec<Waiting> = Vec::new();
            for index in start..end {
                if phase != Phase::Unbounded || self.ledgers[index].confined == Some(true) {
                    self.plan(index, phase, &mut waiting)?;
                }
            }
            self.make(waiting).await?;
        }
        Ok(())
    }

    /// Plans the attempts of a door for this phase; its control goes with the main phase.
    fn plan(&mut self, index: usize, phase: Phase, waiting: &mut Vec<Waiting>) -> Result<()> {
        let aim = match self.aim(&self.model.doors[index])? {
            Ok(aim) => aim,
            Err(reason) => {
                self.ledgers[index].closed = Some(reason);
                return Ok(());
            }
        };
        let mut planned = Vec::new();
        if phase == Phase::Main {
            match control::controls(&aim)? {
                Ok(controls) => planned.extend(controls.into_iter().map(|control| (index, None, control))),
                Err(reason) => {
                    self.ledgers[index].closed = Some(reason.to_owned());
                    return Ok(());
                }
            }
        }
        for (probe, entry) in probes::ALL.iter().enumerate() {
            let attempts = match &aim {
                Aim::Rows(target) => (entry.item.plan)(target)?,
                Aim::Look(look) => (entry.item.look)(look)?,
                Aim::Write(effects) => (entry.item.write)(effects)?,
                Aim::Become(targets) => {
                    let mut all = Vec::new();
                    for target in targets {
                        // Statements without WHERE come behind a verdict on the door, which is about many tables here.
                        let attempts = (entry.item.plan)(target)?.into_iter();
                        all.extend(attempts.filter(|attempt| !attempt.unbounded));
                    }
                    all
                }
                Aim::Call(routine, _) => (entry.item.call)(routine)?,
            };
            let wanted = attempts.into_iter().filter(|attempt| Phase::of(attempt) == phase);
            planned.extend(wanted.map(|attempt| (index, Some(probe), attempt)));
        }
        waiting.append(&mut planned);
        Ok(())
    }

    /// Makes the attempts and writes down what came of them.
    async fn make(&mut self, waiting: Vec<Waiting>) -> Result<()> {
        let Some((index, _, _)) = waiting.first() else {
            return Ok(());
        };
        // The same for all: it depends on what the connection is, not on the role.
        let Some(leave) = self.session(&self.model.doors[*index]).map(Session::leave) else {
            return Ok(());
        };
        let trials: Vec<_> = waiting
            .iter()
            .map(|(_, _, attempt)| attempt.trial.clone())
            .collect();
        let traces = self.sandbox.try_all(&trials, leave).await?;
        for ((index, probe, attempt), trace) in waiting.into_iter().zip(traces) {
            let judgement = attempt.judge(trace.as_ref());
            let ledger = &mut self.ledgers[index];
            let Some(probe) = probe else {
                ledger.note_control(judgement);
                continue;
            };
            self.attacks += usize::from(trace.is_some());
            if attempt.compared
                && let Some(trace) = &trace
            {
                self.observed
                    .push(worlds::Observed::new(index, probe, &attempt, trace));
            }
            if attempt.sign == Sign::Reaches && attempt.state == State::Bound {
                let refused = matches!(judgement, Judgement::Refused(_));
                // Once open is open: another way to ask does not close it.
                ledger.confined = Some(refused && ledger.confined != Some(false));
            }
            ledger.note(probe, probes::ALL[probe].name, attempt, judgement);
        }
        Ok(())
    }

    /// The session of a door's role.
    pub(super) fn session(&self, door: &ModelDoor) -> Option<&Session> {
        self.sessions.get(&door.role)?.as_ref().ok()
    }

    fn outcome(self, findings: Vec<Finding>) -> Outcome {
        let doors = self.model.doors.iter().zip(&self.ledgers).map(|(door, ledger)| {
            let (verdict, reason) = ledger.verdict();
            outcome::judged(door, verdict, reason)
        });
        Outcome {
            findings,
            doors: doors.collect(),
            attacks_run: self.attacks,
        }
    }
}
