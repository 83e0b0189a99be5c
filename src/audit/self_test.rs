//! The self-test: the database is broken on purpose, one protection at a time and always rolled back, and the audit has to
//! notice. That is how a team sees that a green result means something.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::mutants::{Mutation, mutations};
use super::run::Audit;
use super::{DoorVerdict, Object, Report, Severity};
use crate::error::{Error, Result};

/// What came of a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fate {
    /// The audit says something that it does not say of the database as it is.
    Noticed,
    /// It says the same.
    Missed,
    /// It says the same, and nothing is wrong: the protection was not the only one.
    Equivalent,
    /// It says the same, of an object that leaks as it is: whether it would notice is not known.
    Masked,
    /// PostgreSQL refused to make it.
    NotMade,
}

/// A defect that was made, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mutant {
    /// The object that was broken.
    pub object: Object,
    /// What was done to it.
    pub what: String,
    /// What came of it.
    pub fate: Fate,
    /// By what it was noticed, why it is equivalent, or why it could not be made.
    pub reason: String,
    /// The SQL that makes it.
    pub sql: String,
}

/// The result of a self-test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SelfTest {
    /// Every defect.
    pub mutants: Vec<Mutant>,
}

impl SelfTest {
    /// How many defects had this fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.mutants.iter().filter(|mutant| mutant.fate == fate).count()
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mutant in &self.mutants {
            let word = match mutant.fate {
                Fate::Noticed => "noticed",
                Fate::Missed => "MISSED",
                Fate::Equivalent => "equivalent",
                Fate::Masked => "MASKED",
                Fate::NotMade => "not made",
            };
            writeln!(
                f,
                "{word:<11} {}: {} ({})",
                mutant.object, mutant.what, mutant.reason
            )?;
        }
        write!(
            f,
            "\n{} mutants: {} noticed, {} missed, {} equivalent, {} masked, {} not made",
            self.mutants.len(),
            self.count(Fate::Noticed),
            self.count(Fate::Missed),
            self.count(Fate::Equivalent),
            self.count(Fate::Masked),
            self.count(Fate::NotMade)
        )
    }
}

impl Audit {
    /// Breaks each policy, grant and option in turn, in transactions that are always rolled back, and asks the audit.
    ///
    /// The tables are altered, and locked for as long as an audit takes: for a copy of the database, in CI.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future rolls back.
    pub async fn self_test(&self, client: &mut Client) -> Result<SelfTest> {
        let mut transaction = begin(client).await?;
        let catalog = self.read_catalog_within(&transaction).await?;
        let model = self.model(&catalog)?;
        let sound = self.run_within(&mut transaction).await?;
        end(transaction).await?;
        let mut result = SelfTest::default();
        for round in mutations(&catalog, &model)? {
            result.mutants.extend(self.round(client, round, &sound).await?);
        }
        result.mutants.sort_by(|a, b| {
            (a.fate != Fate::Missed, &a.object, &a.what).cmp(&(b.fate != Fate::Missed, &b.object, &b.what))
        });
        Ok(result)
    }

    async fn round(&self, client: &mut Client, round: Vec<Mutation>, sound: &Report) -> Result<Vec<Mutant>> {
        let mut transaction = begin(client).await?;
        let mut refused: Vec<Option<String>> = Vec::new();
        for mutation in &round {
            let failed = |cause| Error::postgres("break the database for the self-test", cause);
            let savepoint = transaction.savepoint("rls_tool_mutant").await.map_err(failed)?;
            match savepoint.batch_execute(&mutation.sql).await {
                Ok(()) => {
                    savepoint.commit().await.map_err(failed)?;
                    refused.push(None);
                }
                Err(cause) => {
                    let error = Error::postgres("break it", cause);
                    savepoint.rollback().await.map_err(failed)?;
                    refused.push(Some(error.chain()));
                }
            }
        }
        let broken = self.run_within(&mut transaction).await?;
        end(transaction).await?;
        let fate = |(mutation, refused): (Mutation, Option<String>)| {
            let (fate, reason) = match (refused, noticed(&mutation, sound, &broken)) {
                (Some(reason), _) => (Fate::NotMade, reason),
                (None, Some(reason)) => (Fate::Noticed, reason),
                (None, None) => match mutation.equivalent {
                    Some(reason) => (Fate::Equivalent, reason.to_owned()),
                    // What leaks as it is cannot be seen to leak more.
                    None if leaks(sound, &mutation.object) => {
                        (Fate::Masked, "it leaks before anything is broken".to_owned())
                    }
                    None => (Fate::Missed, "the audit says the same as before".to_owned()),
                },
            };
            Mutant {
                object: mutation.object,
                what: mutation.what,
                fate,
                reason,
                sql: mutation.sql,
            }
        };
        Ok(round.into_iter().zip(refused).map(fate).collect())
    }
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    let failed = |cause| Error::postgres("open a transaction for the self-test", cause);
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(failed)?;
    transaction
        .batch_execute("SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '1min'")
        .await
        .map_err(failed)?;
    Ok(transaction)
}

async fn end(transaction: Transaction<'_>) -> Result<()> {
    transaction
        .rollback()
        .await
        .map_err(|cause| Error::postgres("roll the self-test back", cause))
}

/// Whether something leaks at the object as it is.
fn leaks(sound: &Report, object: &Object) -> bool {
    let mut doors = sound.doors.iter().filter(|door| door.object == *object);
    doors.any(|door| door.verdict == DoorVerdict::Leak)
}

/// By what the audit notices the defect: a finding that was not there, or a door that leaks now. A door that could merely
/// not be decided any more was not noticed: attacks that ran out of time would notice everything.
fn noticed(mutation: &Mutation, sound: &Report, broken: &Report) -> Option<String> {
    let known: BTreeSet<&str> = sound
        .findings
        .iter()
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    let is_about = |object: &Object| mutation.shows_at.contains(object);
    let finding = broken.findings.iter().find(|finding| {
        finding.severity >= Severity::Warning
            && (is_about(&finding.object) || finding.door.as_ref().is_some_and(is_about))
            && !known.contains(finding.fingerprint.as_str())
    });
    if let Some(finding) = finding {
        return Some(finding.check.clone());
    }
    let was = |door: &super::Door| {
        sound
            .doors
            .iter()
            .find(|known| {
                (&known.object, known.kind, &known.role, known.command)
                    == (&door.object, door.kind, &door.role, door.command)
            })
            .map(|known| known.verdict)
    };
    broken
        .doors
        .iter()
        .filter(|door| is_about(&door.object))
        .find(|door| door.verdict == DoorVerdict::Leak && was(door) != Some(DoorVerdict::Leak))
        .map(|door| format!("{} {} leaks", door.command.as_sql(), door.object))
}
