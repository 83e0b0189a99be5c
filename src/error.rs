//! The library's one error type: opaque, with a kind to branch on, a message that names the thing, the cause kept
//! as `source()`, and where there is one a way out.
//!
//! Messages are lowercase fragments that fit behind "failed to …" or stand alone, without a final period. They never
//! hold a password or a row's value.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

use tokio_postgres::error::SqlState;

/// A `Result` whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What the caller passed is malformed: an id, a flag, a file, a configuration key.
    Input,
    /// A file or folder could not be read or written.
    Io,
    /// No connection: unreachable host, refused login, TLS failure.
    Connect,
    /// The connection was there and broke: server stopped, backend terminated, network gone.
    Closed,
    /// The role may not do this (SQLSTATE 42501 that is not a row-security violation, or a missing attribute).
    Permission,
    /// A row-security policy refused a row (SQLSTATE 42501, "violates row-level security policy").
    RowSecurity,
    /// A statement met another number of rows than was asked for.
    RowCount,
    /// The role would not be subject to row security, so that binding a tenant would protect nothing.
    UnsafeRole,
    /// A time limit passed: pool checkout, lock, statement, start-up.
    Timeout,
    /// A migration or policy file could not be applied, or its history does not fit the files.
    Migration,
    /// No throwaway server could be started.
    Server,
    /// Any other error that PostgreSQL reported.
    Database,
    /// A defect of this library.
    Internal,
}

/// An error of this library.
///
/// `Display` gives the message alone; the cause is in [`source`](StdError::source). Print the whole chain (`{:#}` of
/// anyhow, or [`Error::chain`]).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    attachment: Option<Box<dyn Any + Send + Sync>>,
}

impl Error {
    /// An error with a message and no cause.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            help: None,
            source: None,
            attachment: None,
        }))
    }

    /// Malformed input.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// A file that could not be read or written.
    pub(crate) fn io(path: &std::path::Path, action: &str, cause: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("failed to {action} {}", path.display())).caused_by(cause)
    }

    /// What PostgreSQL or the connection reported while doing `step`; the kind comes from the SQLSTATE.
    pub(crate) fn postgres(step: impl fmt::Display, cause: tokio_postgres::Error) -> Self {
        let kind = kind_of(&cause);
        Self::new(kind, format!("failed to {step}")).caused_by(cause)
    }

    /// Keeps the cause.
    #[must_use]
    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(cause.into());
        self
    }

    /// Adds the way out: what the user can do, as a sentence or a command.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Attaches what had been done when the error came up.
    #[must_use]
    pub(crate) fn attach(mut self, value: impl Any + Send + Sync) -> Self {
        self.0.attachment = Some(Box::new(value));
        self
    }

    /// This kind, where PostgreSQL's SQLSTATE said nothing more precise than [`ErrorKind::Database`].
    #[must_use]
    pub(crate) fn or_kind(mut self, kind: ErrorKind) -> Self {
        if self.0.kind == ErrorKind::Database {
            self.0.kind = kind;
        }
        self
    }

    /// What had been done when the error came up: the function that gives the error says of which type that is.
    pub fn attached<T: 'static>(&self) -> Option<&T> {
        self.0
            .attachment
            .as_deref()
            .and_then(|value| value.downcast_ref())
    }

    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The way out, where there is one.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The SQLSTATE that PostgreSQL reported, if it reported one.
    pub fn sql_state(&self) -> Option<&SqlState> {
        self.as_postgres().and_then(tokio_postgres::Error::code)
    }

    /// The underlying error of tokio-postgres, if that is the cause, or the cause of the cause.
    pub fn as_postgres(&self) -> Option<&tokio_postgres::Error> {
        // Not through `source()`, which leaves tokio-postgres's own layer out.
        let mut next = self
            .0
            .source
            .as_deref()
            .map(|cause| cause as &(dyn StdError + 'static));
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref() {
                return Some(found);
            }
            if let Some(inner) = cause.downcast_ref::<Self>() {
                return inner.as_postgres();
            }
            next = cause.source();
        }
        None
    }

    /// The message and every cause behind it, joined by `: `.
    pub fn chain(&self) -> String {
        let mut text = self.0.message.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        text
    }
}

/// The kind that fits an error of tokio-postgres.
pub(crate) fn kind_of(cause: &tokio_postgres::Error) -> ErrorKind {
    let Some(db) = cause.as_db_error() else {
        return if cause.is_closed() {
            ErrorKind::Closed
        } else {
            ErrorKind::Database
        };
    };
    match db.code() {
        // PostgreSQL has one SQLSTATE for both; only the routine that raised it tells them apart, in any language.
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            if db.routine() == Some("ExecWithCheckOptions") {
                ErrorKind::RowSecurity
            } else {
                ErrorKind::Permission
            }
        }
        code if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::QUERY_CANCELED => {
            ErrorKind::Timeout
        }
        code if code.code().starts_with("57P") || code.code().starts_with("08") => ErrorKind::Closed,
        code if code.code().starts_with("28") => ErrorKind::Connect,
        _ => ErrorKind::Database,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("help", &self.0.help)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.0.source.as_deref()?;
        // tokio-postgres's own layer says only "db error"; the server's words stand behind it.
        match cause.downcast_ref().and_then(tokio_postgres::Error::as_db_error) {
            Some(reported) => Some(reported),
            None => Some(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_names_every_cause_once() {
        let cause = std::io::Error::other("disk on fire");
        let error = Error::io(std::path::Path::new("/x"), "read", cause);
        assert_eq!(error.chain(), "failed to read /x: disk on fire");
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    #[test]
    fn an_error_without_a_postgres_error_has_none_however_deep() {
        let inner = Error::input("malformed");
        let outer = Error::new(ErrorKind::Migration, "failed to migrate").caused_by(inner);
        assert!(outer.as_postgres().is_none() && outer.sql_state().is_none());
        assert_eq!(outer.chain(), "failed to migrate: malformed");
    }
}
