//! One attempt at something, and what came of it. Every attempt is rolled back.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::support::run;

/// What PostgreSQL answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// So many rows were read or changed.
    Rows(u64),
    /// A policy's WITH CHECK refused the row.
    RowSecurity,
    /// A privilege is missing.
    Permission,
    /// A constraint objected (its name): row security had let the row through.
    Constraint(String),
}

impl Outcome {
    /// Whether row security and privileges kept everything away.
    pub(crate) fn held(&self) -> bool {
        matches!(self, Self::Rows(0) | Self::RowSecurity | Self::Permission)
    }
}

/// What the session is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Binding<'a> {
    /// The setting has this value.
    To(&'a str),
    /// The setting was never set on this connection; the caller brings a fresh one.
    Never,
}

/// Runs the statements in one transaction, and judges the last of them; the others must work.
pub(crate) async fn attempt(client: &Client, binding: Binding<'_>, statements: &[String]) -> Outcome {
    run(client, "begin").await;
    match binding {
        Binding::To(tenant) => {
            let sql = "select set_config('app.current_tenant', $1, true)";
            client.query_one(sql, &[&tenant]).await.unwrap();
        }
        Binding::Never => {
            let sql = "select current_setting('app.current_tenant', true) is null";
            assert!(
                client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0),
                "not a fresh connection"
            );
        }
    }
    let (last, before) = statements.split_last().unwrap();
    for statement in before {
        run(client, statement).await;
    }
    let answer = if last.starts_with("select") {
        client.query(last, &[]).await.map(|rows| rows.len() as u64)
    } else {
        client.execute(last, &[]).await
    };
    run(client, "rollback").await;
    match answer {
        Ok(rows) => Outcome::Rows(rows),
        Err(error) => refusal(&error).unwrap_or_else(|| panic!("{last}: {error:?}")),
    }
}

/// The outcome that an error stands for; none for an error that says nothing about isolation.
pub(crate) fn refusal(error: &tokio_postgres::Error) -> Option<Outcome> {
    let db = error.as_db_error()?;
    if *db.code() == SqlState::INSUFFICIENT_PRIVILEGE {
        // One SQLSTATE for both; the routine tells them apart.
        return Some(if db.routine() == Some("ExecWithCheckOptions") {
            Outcome::RowSecurity
        } else {
            Outcome::Permission
        });
    }
    let constraint = db.constraint().unwrap_or_default().to_owned();
    db.code()
        .code()
        .starts_with("23")
        .then_some(Outcome::Constraint(constraint))
}
