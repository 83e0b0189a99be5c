//! The transaction itself: opened with a guard that makes committing impossible, always rolled back.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::limits::Limits;
use super::pipeline;
use super::reply::Reply;
use super::trial::{Trace, Trial};
use crate::error::{Error, ErrorKind, Result};

/// The tool is never silent for so long, however short the budget.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);

/// What the connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The role that the connection acts as.
    pub(crate) role: String,
    pub(crate) superuser: bool,
    /// Superuser or BYPASSRLS: sees and makes every row.
    pub(crate) bypasses_row_security: bool,
    /// `server_version_num`.
    pub(crate) version: i32,
}

/// An open sandbox. Dropping it rolls back; so does losing the connection, and PostgreSQL refuses to commit it.
pub(crate) struct Sandbox<'a> {
    transaction: Transaction<'a>,
    standing: Standing,
    limits: Limits,
    started: Instant,
}

impl std::fmt::Debug for Sandbox<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// Begins a transaction to make a sandbox of.
pub(crate) async fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    client
        .build_transaction()
        // One snapshot: what other sessions commit meanwhile must not look like an effect of an attack.
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(|error| Error::postgres("begin the attacks' transaction", error))
}

impl<'a> Sandbox<'a> {
    /// Makes a sandbox of an open transaction, or of a savepoint in one, and shuts its way to a commit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Permission`] where the server or the role cannot write (a standby, no temporary tables).
    pub(crate) async fn open(transaction: Transaction<'a>, limits: Limits) -> Result<Self> {
        let sandbox = Self::limited(transaction, limits).await?;
        sandbox
            .transaction
            .batch_execute(include_str!("guard.sql"))
            .await
            .map_err(|error| Error::postgres("guard the attacks' transaction against a commit", error))?;
        Ok(sandbox)
    }

    /// Without the guard against a commit, for rows that a test keeps in a database of its own.
    #[cfg(feature = "testing")]
    pub(crate) async fn open_to_keep(transaction: Transaction<'a>, limits: Limits) -> Result<Self> {
        Self::limited(transaction, limits).await
    }

    async fn limited(transaction: Transaction<'a>, limits: Limits) -> Result<Self> {
        let standing = standing(&transaction).await?;
        let set = format!(
            "SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL client_min_messages = 'error'",
            limits.statement.as_millis(),
            limits.lock.as_millis(),
            // The tool itself is never silent for long; if it hangs, the server ends the session and rolls back.
            limits.budget.max(LONGEST_SILENCE).as_millis(),
        );
        transaction
            .batch_execute(&set)
            .await
            .map_err(|error| Error::postgres("set the attacks' time limits", error))?;
        Ok(Self {
            transaction,
            standing,
            limits,
            started: Instant::now(),
        })
    }

    /// What the connection is.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether the time for the whole run is up.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.started.elapsed() >= self.limits.budget
    }

    /// Sends texts as they are, each a message, without savepoints.
    pub(crate) async fn send(&self, texts: &[String]) -> Result<Vec<Reply>> {
        pipeline::send(&self.transaction, texts).await
    }

    /// Sends one text that must not fail.
    pub(crate) async fn must(&self, step: &str, text: &str) -> Result<Vec<super::Answer>> {
        let mut replies = self.send(&[text.to_owned()]).await?;
        match replies.pop() {
            Some(Ok(answers)) => Ok(answers),
            Some(Err(failure)) => Err(Error::new(
                ErrorKind::Database,
                format!("failed to {step}: {failure}"),
            )),
            None => Err(Error::new(
                ErrorKind::Internal,
                format!("no answer while trying to {step}"),
            )),
        }
    }

    /// Asks questions, each in a savepoint of its own; `None` for one that failed. The last statement's answer counts.
    pub(crate) async fn ask(&self, questions: &[String]) -> Result<Vec<Option<super::Answer>>> {
        const SAVEPOINT: &str = "rls_tool_question";
        let undo = format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}");
        let texts: Vec<_> = questions
            .iter()
            .flat_map(|question| [format!("SAVEPOINT {SAVEPOINT}"), question.clone(), undo.clone()])
            .collect();
        let replies = self.send(&texts).await?;
        let answer = |reply: Reply| reply.ok().and_then(|mut answers| answers.pop());
        Ok(replies.into_iter().skip(1).step_by(3).map(answer).collect())
    }

    /// Runs trials, each in its own savepoint; `leave` turns the audited role back into the connection's own. `None`
    /// for those that the budget did not reach.
    pub(crate) async fn try_all(&self, trials: &[Trial], leave: &str) -> Result<Vec<Option<Trace>>> {
        /// Trials between two looks at the clock.
        const STRIDE: usize = 64;
        let mut traces = Vec::with_capacity(trials.len());
        for stride in trials.chunks(STRIDE) {
            if self.is_exhausted() {
                traces.extend(stride.iter().map(|_| None));
                continue;
            }
            let texts: Vec<_> = stride.iter().flat_map(|trial| trial.messages(leave)).collect();
            let mut replies = self.send(&texts).await?.into_iter();
            for trial in stride {
                let Some(trace) = trial.trace(&mut replies) else {
                    return Err(Error::new(
                        ErrorKind::Internal,
                        "the savepoint of an attack could not be rolled back",
                    ));
                };
                traces.push(Some(trace));
            }
        }
        Ok(traces)
    }

    /// Commits: possible only without the guard.
    #[cfg(feature = "testing")]
    pub(crate) async fn keep(self) -> Result<()> {
        self.transaction
            .commit()
            .await
            .map_err(|error| Error::postgres("commit the rows", error))
    }

    /// Rolls everything back and says whether that worked.
    pub(crate) async fn close(self) -> Result<()> {
        self.transaction
            .rollback()
            .await
            .map_err(|error| Error::postgres("roll the attacks back", error))
    }
}

async fn standing(transaction: &Transaction<'_>) -> Result<Standing> {
    let step = "find out what the connection may do";
    let row = transaction
        .query_typed_one(include_str!("connection.sql"), &[])
        .await
        .map_err(|error| Error::postgres(step, error))?;
    let get = |error| Error::postgres(step, error);
    let role: String = row.try_get(0).map_err(get)?;
    let superuser: bool = row.try_get(1).map_err(get)?;
    let bypass: bool = row.try_get(2).map_err(get)?;
    if row.try_get(3).map_err(get)? {
        return Err(Error::new(
            ErrorKind::Permission,
            "the server does not accept writes, so that no rows can be made to attack",
        )
        .with_help("connect to the primary, or audit with --attack off"));
    }
    if !row.try_get::<_, bool>(4).map_err(get)? {
        return Err(Error::new(
            ErrorKind::Permission,
            format!("the role {role:?} may not make temporary tables, which guard the attacks' transaction"),
        )
        .with_help("connect as a superuser or the owner of the database, or audit with --attack off"));
    }
    Ok(Standing {
        role,
        superuser,
        bypasses_row_security: superuser || bypass,
        version: row.try_get(5).map_err(get)?,
    })
}
