//! What PostgreSQL answered to one message of the simple protocol: every value as text, every error with the fields
//! that tell where it was raised.

use std::fmt;

use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::error::{Error, Result};

/// The result of one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The rows, in PostgreSQL's text form; `None` is NULL.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// How many rows the statement says it returned or changed.
    pub(crate) affected: u64,
}

impl Answer {
    /// The first value of the first row.
    pub(crate) fn scalar(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }
}

/// An error that PostgreSQL raised. Its message may quote a row's values: the rows are the attack's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) state: SqlState,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    /// PostgreSQL's C function that raised it: the only thing that tells a row-security violation from a missing
    /// privilege (both are 42501) in any language.
    pub(crate) routine: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) column: Option<String>,
    pub(crate) constraint: Option<String>,
}

impl Failure {
    fn of(error: &DbError) -> Self {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Self {
            state: error.code().clone(),
            message: error.message().to_owned(),
            detail: own(error.detail()),
            routine: own(error.routine()),
            schema: own(error.schema()),
            table: own(error.table()),
            column: own(error.column()),
            constraint: own(error.constraint()),
        }
    }

    /// A policy refused the row: WITH CHECK, or USING for a row that ON CONFLICT or MERGE would change.
    pub(crate) fn is_row_security(&self) -> bool {
        self.state == SqlState::INSUFFICIENT_PRIVILEGE
            && self.routine.as_deref() == Some("ExecWithCheckOptions")
    }

    /// The role lacks a privilege (on the table, a column, a function, …).
    pub(crate) fn is_privilege(&self) -> bool {
        self.state == SqlState::INSUFFICIENT_PRIVILEGE && !self.is_row_security()
    }

    /// A unique, foreign-key, check or exclusion constraint stopped the row. PostgreSQL evaluates these after the
    /// policies, so row security had let the row through. NOT NULL is left out: it may be unrelated.
    pub(crate) fn is_constraint(&self) -> bool {
        [
            SqlState::UNIQUE_VIOLATION,
            SqlState::FOREIGN_KEY_VIOLATION,
            SqlState::CHECK_VIOLATION,
            SqlState::EXCLUSION_VIOLATION,
        ]
        .contains(&self.state)
    }

    /// The values themselves were refused, whoever it was that gave them.
    pub(crate) fn is_about_values(&self) -> bool {
        self.is_constraint() || self.state == SqlState::STRING_DATA_RIGHT_TRUNCATION
    }

    /// It says that the statement itself makes no sense (syntax, no such function, not supported), or that the server
    /// gave out; nothing about rows. A syntax error may also come from text that reached a function's dynamic SQL.
    pub(crate) fn is_dead_end(&self) -> bool {
        let code = self.state.code();
        ["42601", "42883", "42725", "42P18", "0A000"].contains(&code)
            || ["53", "54", "57", "58", "XX"]
                .iter()
                .any(|class| code.starts_with(class))
    }

    /// A time limit or a cancellation ended the statement.
    pub(crate) fn is_timeout(&self) -> bool {
        self.state == SqlState::QUERY_CANCELED || self.state == SqlState::LOCK_NOT_AVAILABLE
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.state.code())
    }
}

/// One answer a statement of the message, or the error that ended it.
pub(crate) type Reply = std::result::Result<Vec<Answer>, Box<Failure>>;

/// Reads one message's answer. What PostgreSQL refused is data; what broke the connection is an error.
pub(super) fn read(
    answer: std::result::Result<Vec<SimpleQueryMessage>, tokio_postgres::Error>,
) -> Result<Reply> {
    let messages = match answer {
        Ok(messages) => messages,
        Err(error) => {
            return match error.as_db_error() {
                // 57P01 and its like end the session: nothing after them was run.
                Some(db) if !db.code().code().starts_with("57P") => Ok(Err(Box::new(Failure::of(db)))),
                _ => Err(Error::postgres("run the attacks", error)),
            };
        }
    };
    let mut answers = Vec::new();
    let mut rows = Vec::new();
    for message in messages {
        match message {
            SimpleQueryMessage::Row(row) => rows.push(values(&row)),
            SimpleQueryMessage::CommandComplete(affected) => answers.push(Answer {
                rows: std::mem::take(&mut rows),
                affected,
            }),
            // Column names are known to whoever wrote the statement.
            _ => {}
        }
    }
    Ok(Ok(answers))
}

fn values(row: &SimpleQueryRow) -> Vec<Option<String>> {
    (0..row.len())
        .map(|index| row.get(index).map(str::to_owned))
        .collect()
}
