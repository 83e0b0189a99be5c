//! One attack as the sandbox sees it: texts to send within a savepoint of its own, and what came back.

use super::reply::Reply;

/// What to do, all of it inside one savepoint that is rolled back at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trial {
    /// As the connection's own role, before anything else: preparing the scene. Empty: nothing.
    pub(crate) before: String,
    /// Becoming the audited role and binding the session. One message.
    pub(crate) enter: String,
    /// As the audited role, a message each.
    pub(crate) statements: Vec<String>,
    /// As the connection's own role again: looking at what really happened. Empty: nothing to look at.
    pub(crate) witness: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    /// The answer to `before`; `Ok` of nothing where there was nothing to do.
    pub(crate) before: Reply,
    /// The answer to `enter`.
    pub(crate) enter: Reply,
    /// One answer a statement.
    pub(crate) statements: Vec<Reply>,
    /// The answer to the witness; an aborted savepoint where a statement failed.
    pub(crate) witness: Reply,
}

impl Trace {
    /// Whether row security or a missing privilege ended it.
    pub(crate) fn is_denied(&self) -> bool {
        let denied = |reply: &Reply| {
            reply
                .as_ref()
                .is_err_and(|f| f.is_row_security() || f.is_privilege())
        };
        self.statements.iter().any(denied)
    }
}

/// The savepoint of the trial that is running.
const SAVEPOINT: &str = "rls_tool_trial";

impl Trial {
    /// The messages, in order. `leave` undoes `enter`'s change of role.
    pub(super) fn messages(&self, leave: &str) -> Vec<String> {
        let mut texts = Vec::with_capacity(self.statements.len() + 4);
        texts.push(format!("SAVEPOINT {SAVEPOINT}; {}", self.before));
        texts.push(self.enter.clone());
        texts.extend(self.statements.iter().cloned());
        texts.push(if self.witness.is_empty() {
            String::new()
        } else {
            format!("{leave}; {}", self.witness)
        });
        // Also after an error, and it brings back the role: SET LOCAL ends with the savepoint.
        texts.push(format!(
            "ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}"
        ));
        texts
    }

    /// Reads the answers to [`messages`](Self::messages) off `replies`. `None` where the savepoint itself failed.
    pub(super) fn trace(&self, replies: &mut impl Iterator<Item = Reply>) -> Option<Trace> {
        // The savepoint and the change of role give answers of their own: not what the caller asked for.
        let without_first = |reply: Reply| {
            reply.map(|mut answers| {
                answers.drain(..answers.len().min(1));
                answers
            })
        };
        let before = without_first(replies.next()?);
        let enter = replies.next()?;
        let statements = replies.by_ref().take(self.statements.len()).collect();
        let witness = replies.next()?;
        let witness = if self.witness.is_empty() {
            Ok(Vec::new())
        } else {
            without_first(witness)
        };
        replies.next()?.ok()?;
        Some(Trace {
            before,
            enter,
            statements,
            witness,
        })
    }
}
