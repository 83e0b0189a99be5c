//! Turns what PostgreSQL said about a file into an error that names the file, the line and the way out, and says what
//! of the run is in effect.

use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::error::{Error, ErrorKind};
use crate::migrate::file::SqlFile;
use crate::migrate::lexer::line_of;
use crate::migrate::migration::NO_TRANSACTION;
use crate::migrate::report::MigrationReport;

/// `file` failed; `statement` is where in it the one that failed begins, where it was sent alone.
///
/// Many errors come without a position; then the statement's own line is said.
pub(crate) fn of_file(file: &SqlFile, statement: Option<usize>, cause: tokio_postgres::Error) -> Error {
    let offset = statement.unwrap_or(0);
    let position = cause.as_db_error().and_then(|db| match db.position() {
        Some(ErrorPosition::Original(position)) => Some(
            file.sql[offset..]
                .char_indices()
                .nth((*position as usize).saturating_sub(1))
                .map_or(offset, |(at, _)| offset + at),
        ),
        _ => None,
    });
    let line = position.or(statement).map(|at| line_of(&file.sql, at));
    let place = match line {
        Some(line) => format!("run {}, line {line}", file.label),
        None => format!("run {}", file.label),
    };
    let help = cause.code().and_then(help_for);
    let error = Error::postgres(place, cause).or_kind(ErrorKind::Migration);
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

fn help_for(code: &SqlState) -> Option<String> {
    Some(match code {
        code if *code == SqlState::ACTIVE_SQL_TRANSACTION => format!(
            "give the statement a file of its own whose first line is -- rls-tool: {NO_TRANSACTION}, so that it runs \
             outside a transaction"
        ),
        code if code.code() == "55P04" => format!(
            "put ALTER TYPE … ADD VALUE into a file of its own whose first line is -- rls-tool: {NO_TRANSACTION}: a new \
             value can be used only after a commit"
        ),
        code if *code == SqlState::LOCK_NOT_AVAILABLE => {
            "other sessions use the table: run it again when they are done, or give a longer --lock-timeout".to_owned()
        }
        code if *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE => {
            "other sessions got in the way: run it again".to_owned()
        }
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "the role that migrates must own what a file changes, or be a member of its owner and switch to it: set \
             local role …"
                .to_owned()
        }
        _ => return None,
    })
}

/// The error of the run: what is in effect and what is not, or may be (`in_doubt`), then the cause.
pub(crate) fn of_run(cause: Error, committed: MigrationReport, planned: &[String], in_doubt: bool) -> Error {
    let done: Vec<_> = [&committed.migrations, &committed.policies]
        .into_iter()
        .flatten()
        .map(|ran| ran.file.as_str())
        .collect();
    let undone: Vec<_> = planned
        .iter()
        .map(String::as_str)
        .filter(|file| !done.contains(file))
        .collect();
    let message = match (done.is_empty(), undone.is_empty()) {
        (true, _) if in_doubt => format!("it is not known whether this was applied: {}", undone.join(", ")),
        (true, _) => "nothing was applied".to_owned(),
        (false, true) => format!("applied and committed: {}", done.join(", ")),
        (false, false) => format!(
            "applied and committed: {}; {}: {}",
            done.join(", "),
            if in_doubt {
                "it is not known whether this was applied"
            } else {
                "not applied"
            },
            undone.join(", ")
        ),
    };
    Error::new(cause.kind(), message)
        .caused_by(cause)
        .attach(committed)
}
