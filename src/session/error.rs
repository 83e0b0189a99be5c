//! What sessions say when something fails: which tenant, which table, what to do.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::value::TenantValue;
use crate::error::{Error, ErrorKind, Result};

/// A failed statement. Row security's refusals name the table and the tenant.
pub(super) fn explain(cause: tokio_postgres::Error, tenant: Option<&TenantValue>) -> Error {
    let whom = whom(tenant);
    let error = Error::postgres(format_args!("run a statement {whom}"), cause);
    match error.kind() {
        ErrorKind::RowSecurity => {
            let reported = error.as_postgres().and_then(tokio_postgres::Error::as_db_error);
            let table = reported.and_then(|reported| last_quoted(reported.message()));
            let table = table.map_or_else(String::new, |table| format!(" of table \"{table}\""));
            Error::new(ErrorKind::RowSecurity, format!("row security refused a row{table} {whom}"))
                .caused_by(error)
                .with_help("the row must carry the bound tenant, and a policy must allow this command to this role")
        }
        ErrorKind::Database if error.sql_state() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME) => error.with_help(
            "a pooler in transaction mode may stand in between: use Statements::Unnamed, or PgBouncer 1.21 with \
             max_prepared_statements above 0",
        ),
        ErrorKind::Database if is_copy_refused(&error) => {
            error.with_help("PostgreSQL does not copy into a table with row security: use INSERT")
        }
        _ => error,
    }
}

fn is_copy_refused(error: &Error) -> bool {
    let reported = error.as_postgres().and_then(tokio_postgres::Error::as_db_error);
    reported.is_some_and(|reported| {
        *reported.code() == SqlState::FEATURE_NOT_SUPPORTED && reported.routine() == Some("DoCopy")
    })
}

/// BEGIN or the binding failed.
pub(super) fn begin(cause: tokio_postgres::Error, tenant: Option<&TenantValue>) -> Error {
    Error::postgres(format_args!("begin a transaction {}", whom(tenant)), cause)
}

/// The transaction can no longer be used.
pub(super) fn broken() -> Error {
    Error::new(
        ErrorKind::Database,
        "the transaction was not begun properly or has left its binding: nothing more runs in it",
    )
    .with_help("drop it and begin again; the first error says why")
}

/// The binding is gone, or another one.
pub(super) fn escaped() -> Error {
    Error::new(
        ErrorKind::Database,
        "the tenant is no longer bound: a statement ended the transaction or bound something else, and what was run \
         before that may have been committed",
    )
    .with_help("leave COMMIT, ROLLBACK and the tenant's setting to the session")
}

/// COMMIT was answered with ROLLBACK.
pub(super) fn was_rolled_back(cause: Error) -> Error {
    Error::new(
        ErrorKind::Database,
        "nothing was committed: a statement of the transaction had failed, so COMMIT rolled back",
    )
    .caused_by(cause)
    .with_help("use savepoint() around statements that may fail")
}

/// The connection broke while COMMIT was under way.
pub(super) fn commit_unknown(cause: tokio_postgres::Error) -> Error {
    Error::postgres(
        "commit: the connection broke, so it is not known whether the transaction was committed",
        cause,
    )
    .or_kind(ErrorKind::Closed)
}

/// A statement was refused because an earlier one had failed.
pub(super) fn is_failed_transaction(error: &Error) -> bool {
    error.sql_state() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

/// The only row.
pub(super) fn one(rows: Vec<Row>, tenant: Option<&TenantValue>) -> Result<Row> {
    at_most_one(rows, tenant)?.ok_or_else(|| row_count("one row", 0, tenant))
}

/// The only row, if there is one.
pub(super) fn at_most_one(mut rows: Vec<Row>, tenant: Option<&TenantValue>) -> Result<Option<Row>> {
    if rows.len() > 1 {
        return Err(row_count("one row", rows.len() as u64, tenant));
    }
    Ok(rows.pop())
}

/// As many rows as the caller said.
pub(super) fn expect_rows(wanted: u64, changed: u64, tenant: Option<&TenantValue>) -> Result<()> {
    if wanted == changed {
        return Ok(());
    }
    Err(row_count(&format!("{wanted} rows"), changed, tenant))
}

fn row_count(wanted: &str, found: u64, tenant: Option<&TenantValue>) -> Error {
    let error = Error::new(
        ErrorKind::RowCount,
        format!(
            "a statement {} met {found} rows where {wanted} was expected",
            whom(tenant)
        ),
    );
    if found == 0 {
        return error
            .with_help("the row does not exist, or belongs to another tenant: to this one it is the same");
    }
    error
}

fn whom(tenant: Option<&TenantValue>) -> String {
    let Some(tenant) = tenant else {
        return "of no tenant".to_owned();
    };
    let value = tenant.as_str();
    match value.char_indices().nth(64) {
        Some((end, _)) => format!("of tenant {:?}…", &value[..end]),
        None if value.chars().all(|c| c.is_ascii_graphic()) => format!("of tenant {value}"),
        None => format!("of tenant {value:?}"),
    }
}

/// The last quoted name in the message: the table, in whatever language the server speaks.
fn last_quoted(message: &str) -> Option<&str> {
    let quotes: &[char] = &['"', '«', '»', '„', '“', '”', '「', '」'];
    let end = message.rfind(quotes)?;
    let start = message[..end].rfind(quotes)?;
    let start = start + message[start..].chars().next().map_or(1, char::len_utf8);
    Some(message[start..end].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_last_name() {
        for (message, table) in [
            (
                "new row violates row-level security policy for table \"orders\"",
                "orders",
            ),
            (
                "new row violates row-level security policy \"own\" for table \"orders\"",
                "orders",
            ),
            (
                "neue Zeile verletzt Policy für Sicherheit auf Zeilenebene für Tabelle »orders«",
                "orders",
            ),
        ] {
            assert_eq!(last_quoted(message), Some(table));
        }
        assert_eq!(last_quoted("no name"), None);
    }

    #[test]
    fn long_and_odd_tenants_stay_readable() {
        assert_eq!(whom(Some(&TenantValue::text("7").unwrap())), "of tenant 7");
        assert_eq!(
            whom(Some(&TenantValue::text("a\nb").unwrap())),
            "of tenant \"a\\nb\""
        );
        assert!(whom(Some(&TenantValue::text("x".repeat(900)).unwrap())).len() < 100);
        assert_eq!(whom(None), "of no tenant");
    }
}
