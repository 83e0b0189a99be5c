//! Findings from attempts that worked: each is made once more from nothing but its own script before it is reported.

use std::collections::{BTreeMap, BTreeSet};

use super::attempt::{Attempt, Judgement, Sign, State};
use super::outcome::Leak;
use super::probes;
use super::rows::{Belongs, Place, Side};
use super::run::Run;
use super::sandbox::{Trace, Trial};
use super::script;
use super::session::Session;
use super::target::Target;
use crate::audit::{Command, Evidence, EvidenceKind, Finding, Severity};
use crate::error::Result;
use crate::model::ModelDoor;

/// Marks the transaction before any row was made.
pub(super) const MARK: &str = "SAVEPOINT rls_tool_start";

/// A script with more rows than this helps nobody.
const MOST_ROWS: usize = 400;

pub(super) const BACK: &str = "ROLLBACK TO SAVEPOINT rls_tool_start";

/// A finding before it is known what else was found at its door.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) door: usize,
    pub(super) state: State,
    pub(super) finding: Finding,
}

/// One hole is one finding: a door that is open to a bound session is named once, with the other sessions that it is
/// open to as well; nonsense is named only where nothing simpler opens the door.
pub(super) fn fold(all: Vec<Found>) -> Vec<Finding> {
    let says_all = |finding: &Finding| {
        finding.check.starts_with("cross-tenant-") || finding.check.starts_with("function-")
    };
    let is_plain = |found: &&Found| says_all(&found.finding);
    let is_open = |found: &&Found| matches!(found.state, State::NeverSet | State::Empty);
    let plain: BTreeSet<usize> = all.iter().filter(is_plain).map(|found| found.door).collect();
    let open: BTreeSet<usize> = all.iter().filter(is_open).map(|found| found.door).collect();
    let mut also: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let (kept, folded): (Vec<_>, Vec<_>) = all.into_iter().partition(|found| match found.state {
        State::Bound => true,
        State::NeverSet | State::Empty => !plain.contains(&found.door),
        State::Garbage(_) => !plain.contains(&found.door) && !open.contains(&found.door),
    });
    for found in folded.iter().filter(is_open) {
        also.entry(found.door).or_default().push(found.state.words());
    }
    let suffix = |mut found: Found| {
        if let Some(words) = also.get(&found.door).filter(|_| says_all(&found.finding)) {
            found.finding.message.push_str("; so does a session ");
            found.finding.message.push_str(&words.join(", and one "));
        }
        found.finding
    };
    kept.into_iter().map(suffix).collect()
}

/// Turns every leak in the ledgers that has not been reported yet into a finding: one a door and probe.
pub(super) async fn collect(run: &mut Run<'_>) -> Result<Vec<Found>> {
    let mut first: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (door, ledger) in run.ledgers.iter().enumerate() {
        for (place, leak) in ledger.unreported().iter().enumerate() {
            first.entry((door, leak.probe)).or_insert(ledger.reported + place);
        }
    }
    if first.is_empty() {
        return Ok(Vec::new());
    }
    run.sandbox.must("take the attacks' rows away", BACK).await?;
    let mut findings = Vec::new();
    for ((door, probe), place) in first {
        let leak = run.ledgers[door].leaks[place].clone();
        let (finding, existence_only) = finding(run, door, &leak).await?;
        for leak in &mut run.ledgers[door].leaks {
            // One of its kind stands for the others.
            leak.existence_only |=
                existence_only && leak.probe == probe && leak.attempt.sign == Sign::Reaches;
        }
        findings.push(Found {
            door,
            state: leak.attempt.state,
            finding,
        });
    }
    for ledger in &mut run.ledgers {
        ledger.reported = ledger.leaks.len();
    }
    restore(run).await?;
    Ok(findings)
}

/// Makes the rows again as they were.
pub(super) async fn restore(run: &Run<'_>) -> Result<()> {
    let scene = &run.stage.scene;
    let all: Vec<Place> = scene.made.clone();
    for chunk in script::inserts(scene, &all)?.chunks(64) {
        run.sandbox
            .must("make the attacks' rows again", &chunk.join("; "))
            .await?;
    }
    Ok(())
}

/// Makes the rows again as they were, whatever rows are there.
pub(super) async fn restore_after(run: &Run<'_>) -> Result<()> {
    run.sandbox.must("take the attacks' rows away", BACK).await?;
    restore(run).await
}

/// The finding, and whether it shows no more than that rows exist.
async fn finding(run: &Run<'_>, door: usize, leak: &Leak) -> Result<(Finding, bool)> {
    let door = &run.model.doors[door];
    let entry = &probes::ALL[leak.probe];
    let attempt = &leak.attempt;
    let title = format!("{} {} ({})", door.role_name, entry.item.summary, door.object);
    let shown = reproduce(run, door, attempt, &title).await?;
    let mut message = format!(
        "{} {} through {} on {}: a session {}, {}: {}",
        door.role_name,
        entry.item.summary,
        door.command.as_sql(),
        door.object,
        attempt.state.words(),
        attempt.what,
        leak.got,
    );
    let severity = if shown.harmless {
        message.push_str(", but could change none of them: their existence shows");
        Severity::Warning
    } else {
        entry.item.severity
    };
    let counterexample = serde_json::json!({
        "session": attempt.state.words(),
        "tried": attempt.what,
        "statement": shown.statement,
        "result": leak.got,
        "reproduced": shown.reproduced,
    });
    let finding = said(entry, severity, door, message).shown_by(Evidence {
        kind: EvidenceKind::Attack,
        counterexample: Some(counterexample),
        exploit_sql: Some(shown.script),
    });
    Ok((finding, shown.harmless))
}

/// A probe's finding about a door.
pub(super) fn said(entry: &probes::Entry, severity: Severity, door: &ModelDoor, message: String) -> Finding {
    let (object, role) = (door.object.clone(), Some(door.role_name.as_str()));
    Finding::new(entry.name, severity, object, role, Some(door.command), "").saying(message, entry.item.help)
}

/// A script, the statement in it, and whether running it once more showed the same.
struct Shown {
    script: String,
    statement: String,
    reproduced: bool,
    /// What would have done the damage was tried, and refused.
    harmless: bool,
}

/// Runs the attempt again on nothing but the rows it needs; with more rows where it takes more.
async fn reproduce(run: &Run<'_>, door: &ModelDoor, attempt: &Attempt, title: &str) -> Result<Shown> {
    let scene = &run.stage.scene;
    let leave = run.session(door).map_or("", Session::leave);
    let tenants: Vec<Place> = scene
        .made
        .iter()
        .copied()
        .filter(|(table, _, number)| *number == 0 && matches!(scene.belongs[*table], Belongs::IsTenant(_)))
        .collect();
    let minimal = attempt.rows.clone();
    let with_tenants = [minimal.clone(), tenants].concat();
    let variants = plain(run, door, attempt).await?;
    // The last variant is the attempt itself; those before it do damage.
    let last = variants.len() - 1;
    // All rows there are, where that is bearable.
    let all = if scene.made.len() <= MOST_ROWS {
        &scene.made
    } else {
        &with_tenants
    };
    let mut damage_refused = true;
    for (place, (variant, statement)) in variants.iter().enumerate() {
        for places in [&minimal, &with_tenants, all] {
            let inserts = script::inserts(scene, places)?;
            let mut before = inserts.clone();
            before.extend((!variant.trial.before.is_empty()).then(|| variant.trial.before.clone()));
            let trial = Trial {
                before: before.join("; "),
                ..variant.trial.clone()
            };
            let traces = run.sandbox.try_all(&[trial], leave).await?;
            let trace = traces.into_iter().next().flatten();
            let judgement = variant.judge(trace.as_ref());
            damage_refused &= place == last || trace.as_ref().is_some_and(Trace::is_denied);
            if matches!(judgement, Judgement::Through(_)) {
                return Ok(Shown {
                    harmless: place == last && last > 0 && damage_refused,
                    script: script::text(title, &inserts, variant, statement, leave),
                    statement: statement.clone(),
                    reproduced: true,
                });
            }
        }
    }
    // It worked before: it is reported, and said that it did not work twice.
    let statement = attempt.plain.clone().unwrap_or_else(|| attempt.statement());
    let inserts = script::inserts(scene, &with_tenants)?;
    Ok(Shown {
        script: script::text(title, &inserts, attempt, &statement, leave),
        statement,
        reproduced: false,
        harmless: false,
    })
}

/// What a person would run, likeliest first, each with the statement that stands in the script. A statement that was
/// built for measuring is replaced by one that does the damage, where not too many rows are at risk.
async fn plain(run: &Run<'_>, door: &ModelDoor, attempt: &Attempt) -> Result<Vec<(Attempt, String)>> {
    let measured = attempt.statement();
    let mut variants = Vec::new();
    let target = run.target(door).ok();
    if let (Some(everything), Some(target)) = (&attempt.plain, target)
        && few_rows(run, &target).await?
    {
        variants.extend(damage(&target, attempt, everything)?);
    }
    variants.push((attempt.clone(), measured));
    Ok(variants)
}

fn damage(target: &Target<'_>, attempt: &Attempt, everything: &str) -> Result<Vec<(Attempt, String)>> {
    let Some((_, row)) = target.leaf(Side::B) else {
        return Ok(Vec::new());
    };
    let mut statements = vec![everything.to_owned()];
    let owners = target.ownership(Side::A);
    if target.command == Command::Update && !owners.is_empty() {
        // WITH CHECK may stop the change as long as the row is another tenant's, and let it be taken over.
        statements.push(format!("UPDATE {} {}", target.shape().name, target.set(&owners)?));
    }
    let witness = target.witness(row)?;
    let variant = |statement: String| {
        let mut variant = attempt.clone();
        variant.sign = Sign::ChangesAmongOthers(Target::looks(row));
        variant.trial.before = String::new();
        variant.trial.witness = witness.clone().unwrap_or_default();
        if let Some(last) = variant.trial.statements.last_mut() {
            last.clone_from(&statement);
        }
        (variant, statement)
    };
    Ok(statements.into_iter().map(variant).collect())
}

/// Whether so few rows are there that all of them may be locked for a moment.
async fn few_rows(run: &Run<'_>, target: &Target<'_>) -> Result<bool> {
    let most = run.options.rows_at_risk;
    let name = &target.base_shape().name;
    let question = format!(
        "SELECT pg_catalog.count(*) <= {most} FROM (SELECT 1 FROM {name} LIMIT {}) AS sample",
        most + 1
    );
    let answer = run.sandbox.ask(&[question]).await?.pop().flatten();
    Ok(answer.is_some_and(|answer| answer.scalar() == Some("t")))
}
