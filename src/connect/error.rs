//! Why a connection could not be opened: one message that says where, why, and what to do.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::SqlState;

use super::ConnectOptions;
use crate::error::{Error, ErrorKind};

/// The error for a failed attempt to connect.
pub(super) fn explain(options: &ConnectOptions, cause: tokio_postgres::Error) -> Error {
    let help = help(&cause);
    let error = Error::new(ErrorKind::Connect, format!("failed to connect to {options}")).caused_by(cause);
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

fn help(cause: &tokio_postgres::Error) -> Option<&'static str> {
    if let Some(code) = cause.code() {
        return match code {
            code if *code == SqlState::INVALID_PASSWORD => {
                Some("check the user's name and password (in the URL, PGPASSWORD, or the password file)")
            }
            code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Some(
                "check the user's name, and the server's pg_hba.conf, which says who may log in from where and how",
            ),
            code if *code == SqlState::INVALID_CATALOG_NAME => {
                Some("check the database's name; psql --list shows the ones there are")
            }
            code if *code == SqlState::TOO_MANY_CONNECTIONS => {
                Some("close connections, use a smaller pool, or raise max_connections")
            }
            _ => None,
        };
    }
    let inner = cause.source();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<io::Error>()) {
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Some("is the server running on that host, and listening on that port?")
            }
            io::ErrorKind::NotFound => Some("no server has a socket in that folder; is it running?"),
            io::ErrorKind::TimedOut => Some("check the host's name, its firewall and the network"),
            _ => None,
        };
    }
    inner
        .is_some_and(|inner| inner.to_string() == "password missing")
        .then_some("the server asks for a password: give one in the URL, PGPASSWORD, or the password file")
}

/// Whether the server may accept the same login with, or without, encryption.
pub(super) fn is_about_encryption(cause: &tokio_postgres::Error) -> bool {
    match cause.code() {
        // pg_hba.conf has no line for this kind of connection.
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        // The driver tells its kinds apart by text only.
        None => cause.to_string().contains("TLS"),
    }
}
