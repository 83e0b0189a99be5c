//! Two worlds: everything that a session bound to A can observe must be the same whether B's rows are there or not.
//!
//! The second world is the first without the statements that made B's rows: whatever triggers derived from them is
//! missing as well. A difference counts only where each world, tried twice, says the same twice. In a third world B has
//! its rows, with other numbers in them: what differs there too says more than that rows exist.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::attempt::{Attempt, State};
use super::evidence::{self, BACK, Found};
use super::outcome::Leak;
use super::rows::{Place, Scene, Side};
use super::run::Run;
use super::sandbox::{Reply, Trace};
use super::session::Session;
use super::{probes, script};
use crate::audit::{Evidence, EvidenceKind, Severity};
use crate::error::Result;

/// What an attempt let a session see, as one hash a column: the order of rows does not matter.
type Digest = Vec<u64>;

/// An attempt and what came back.
#[derive(Debug)]
pub(crate) struct Observed {
    door: usize,
    probe: usize,
    attempt: Attempt,
    digest: Digest,
}

impl Observed {
    /// Remembers what came back.
    pub(super) fn new(door: usize, probe: usize, attempt: &Attempt, trace: &Trace) -> Self {
        Self {
            door,
            probe,
            attempt: attempt.clone(),
            digest: digest(trace),
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What the session itself could see: rows and their number, or the error.
fn digest(trace: &Trace) -> Digest {
    match trace.statements.last() {
        Some(Ok(answers)) => {
            let Some(answer) = answers.last() else {
                return Vec::new();
            };
            let columns = answer.rows.first().map_or(0, Vec::len);
            let column = |index: usize| {
                answer
                    .rows
                    .iter()
                    .map(|row| hash(&row.get(index)))
                    .fold(0, u64::wrapping_add)
            };
            std::iter::once(answer.affected)
                .chain((0..columns).map(column))
                .collect()
        }
        Some(Err(failure)) => vec![u64::MAX, hash(&failure.state.code()), hash(&failure.message)],
        None => Vec::new(),
    }
}

/// Whether they differ in something that is the same in both tries of each world.
fn differs(one: [&Digest; 2], two: [&Digest; 2]) -> bool {
    let steady = |pair: [&Digest; 2], place: usize| pair[0].get(place) == pair[1].get(place);
    let places = one[0].len().max(two[0].len());
    (0..places)
        .any(|place| steady(one, place) && steady(two, place) && one[0].get(place) != two[0].get(place))
}

/// Which rows are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    /// All.
    One,
    /// A's alone.
    Two,
    /// All, with other numbers in B's.
    Three,
}

/// What came of the attempts in a world; `None` where the world could not be made.
type Answers = Option<Vec<(Digest, Reply)>>;

async fn visit(
    run: &Run<'_>,
    world: World,
    places: &[usize],
) -> Result<std::result::Result<Answers, String>> {
    run.sandbox.must("take the attacks' rows away", BACK).await?;
    let scene = &run.stage.scene;
    let made: Vec<Place> = scene
        .made
        .iter()
        .copied()
        .filter(|&(_, side, _)| world != World::Two || side != Side::B)
        .collect();
    let inserts = if world == World::Three {
        other_numbers(scene, &made)?
    } else {
        script::inserts(scene, &made)?
    };
    for chunk in inserts.chunks(64) {
        for reply in run.sandbox.send(&[chunk.join("; ")]).await? {
            if let Err(failure) = reply {
                run.sandbox.must("take the attacks' rows away", BACK).await?;
                return Ok(Err(failure.to_string()));
            }
        }
    }
    let trials: Vec<_> = places
        .iter()
        .map(|&place| run.observed[place].attempt.trial.clone())
        .collect();
    let Some(leave) = places
        .first()
        .and_then(|&place| run.session(&run.model.doors[run.observed[place].door]))
        .map(Session::leave)
    else {
        return Ok(Ok(Some(Vec::new())));
    };
    let mut answers = Vec::with_capacity(trials.len());
    for trace in run.sandbox.try_all(&trials, leave).await? {
        // The time for all attacks is up: nothing is known about the rest.
        let Some(mut trace) = trace else {
            return Ok(Ok(None));
        };
        let digest = digest(&trace);
        answers.push((digest, trace.statements.pop().unwrap_or_else(|| Ok(Vec::new()))));
    }
    Ok(Ok(Some(answers)))
}

/// The statements that make the rows, with other numbers in B's where nothing depends on them.
fn other_numbers(scene: &Scene, made: &[Place]) -> Result<Vec<String>> {
    let mut list = Vec::new();
    for &place in made {
        let (table, side, _) = place;
        let shape = &scene.shapes[table];
        let mut row = scene.rows[&place].clone();
        let free = |column: usize| {
            let own = &shape.columns[column];
            own.ty.is_number()
                && !own.generated
                && !shape.is_distinct(column)
                && !super::marks::names_a_row(scene, table, column)
                && !shape.routing.iter().any(|(routed, _)| *routed == column)
        };
        if side == Side::B {
            for column in (0..shape.columns.len()).filter(|&column| free(column)) {
                if row.get(column).is_some() {
                    row.values[column] = Some(Some("2".to_owned()));
                }
            }
        }
        list.push(script::insert_row(shape, &row)?);
    }
    Ok(list)
}

/// Tries everything that was observed in the other worlds, and reports what differs.
pub(super) async fn compare(run: &mut Run<'_>) -> Result<Vec<Found>> {
    if run.observed.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<usize> = (0..run.observed.len()).collect();
    let second = match visit(run, World::Two, &all).await? {
        Ok(Some(answers)) => answers,
        Ok(None) => return Ok(give_up(run, "the time for all attacks was up")),
        Err(reason) => {
            evidence::restore(run).await?;
            return Ok(give_up(run, &reason));
        }
    };
    run.attacks += all.len();
    let suspects: Vec<usize> = all
        .into_iter()
        .filter(|&place| run.observed[place].digest != second[place].0)
        .collect();
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    let mut again = Vec::new();
    for world in [World::One, World::Two] {
        match visit(run, world, &suspects).await? {
            Ok(Some(answers)) => again.push(answers),
            Ok(None) => return Ok(give_up(run, "the time for all attacks was up")),
            Err(reason) => return Ok(give_up(run, &reason)),
        }
    }
    // Where B's rows take no other numbers, that they exist is all that is known to show.
    let third = visit(run, World::Three, &suspects).await?.ok().flatten();
    evidence::restore_after(run).await?;
    let mut first: BTreeMap<(usize, usize), Found> = BTreeMap::new();
    for (place, &suspect) in suspects.iter().enumerate() {
        let observed = &run.observed[suspect];
        let one = [&observed.digest, &again[0][place].0];
        let two = [&second[suspect].0, &again[1][place].0];
        let leaks = &run.ledgers[observed.door].leaks;
        if !differs(one, two) || leaks.iter().any(|leak| !leak.existence_only) {
            continue;
        }
        let content = third
            .as_ref()
            .is_some_and(|third| differs(one, [&third[place].0, &third[place].0]));
        let answers = [&again[0][place].1, &again[1][place].1];
        let key = (observed.door, observed.probe);
        let worse = content
            && first
                .get(&key)
                .is_some_and(|known| known.finding.severity != Severity::Error);
        if !first.contains_key(&key) || worse {
            first.insert(key, found(run, observed, answers, content)?);
        }
    }
    for (&(door, probe), found) in &first {
        let attempt = run
            .observed
            .iter()
            .find(|observed| observed.door == door && observed.probe == probe)
            .map(|observed| observed.attempt.clone());
        let ledger = &mut run.ledgers[door];
        ledger.leaks.extend(attempt.map(|attempt| Leak {
            probe,
            attempt,
            got: found.finding.message.clone(),
            existence_only: found.finding.severity != Severity::Error,
        }));
        ledger.reported = ledger.leaks.len();
    }
    Ok(first.into_values().collect())
}

/// Nothing is known about doors that were to be compared.
fn give_up(run: &mut Run<'_>, reason: &str) -> Vec<Found> {
    for observed in &run.observed {
        let open = &mut run.ledgers[observed.door].open;
        let reason = format!("the world without the other tenant's rows could not be tried: {reason}");
        if !open.contains(&reason) {
            open.push(reason);
        }
    }
    Vec::new()
}

/// What came back, in a few words.
fn words(reply: &Reply) -> String {
    const LONGEST: usize = 90;
    let text = match reply {
        Err(failure) => format!("the error {failure}"),
        Ok(answers) => match answers.last() {
            Some(answer) if answer.rows.is_empty() => format!("{} rows", answer.affected),
            Some(answer) => {
                let first = answer.rows[0]
                    .iter()
                    .map(|cell| cell.as_deref().unwrap_or("NULL"));
                let first = first.collect::<Vec<_>>().join(", ");
                match answer.rows.len() {
                    1 => format!("({first})"),
                    rows => format!("{rows} rows, the first ({first})"),
                }
            }
            None => "nothing".to_owned(),
        },
    };
    if text.chars().count() > LONGEST {
        text.chars().take(LONGEST).chain("…".chars()).collect()
    } else {
        text
    }
}

fn found(run: &Run<'_>, observed: &Observed, [with, without]: [&Reply; 2], content: bool) -> Result<Found> {
    let door = &run.model.doors[observed.door];
    // What a probe says of rows that come back is not what this shows.
    let entry = probes::named(if matches!(observed.attempt.sign, super::attempt::Sign::Tells) {
        probes::ALL[observed.probe].name
    } else {
        "foreign-rows-noticed"
    });
    let attempt = &observed.attempt;
    let (with, without) = (words(with), words(without));
    let severity = if content {
        entry.item.severity
    } else {
        Severity::Warning
    };
    let message = format!(
        "{} {} through {} on {}: a session {}, {}, gets {with} with the other tenant's rows and {without} without them",
        door.role_name,
        entry.item.summary,
        door.command.as_sql(),
        door.object,
        State::Bound.words(),
        attempt.what,
    );
    let statement = attempt.statement();
    let title = format!("{} {} ({})", door.role_name, entry.item.summary, door.object);
    let inserts = script::inserts(&run.stage.scene, &attempt.rows)?;
    let leave = run.session(door).map_or("", Session::leave);
    let text = script::text(&title, &inserts, attempt, &statement, leave);
    let text = format!("{text}-- here: {with}; without the other tenant's rows: {without}\n");
    let counterexample = serde_json::json!({
        "session": attempt.state.words(),
        "tried": attempt.what,
        "statement": statement,
        "result": with,
        "without_foreign_rows": without,
        "reproduced": true,
    });
    let finding = evidence::said(entry, severity, door, message).shown_by(Evidence {
        kind: EvidenceKind::Attack,
        counterexample: Some(counterexample),
        exploit_sql: Some(text),
    });
    Ok(Found {
        door: observed.door,
        state: State::Bound,
        finding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_counts_only_where_both_worlds_are_steady() {
        let (a, b, c) = (vec![1, 10], vec![1, 11], vec![2, 10]);
        assert!(differs([&a, &a], [&c, &c]));
        assert!(!differs([&a, &a], [&a, &a]));
        // The second column changes by itself: a clock, a sequence.
        assert!(!differs([&a, &b], [&b, &b]));
        assert!(!differs([&a, &a], [&a, &b]));
        // The first does not.
        assert!(differs([&a, &b], [&c, &c]));
        assert!(differs([&a, &a], [&vec![1], &vec![1]]));
    }
}
