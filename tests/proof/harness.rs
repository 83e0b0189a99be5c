//! One database with a table a policy form, proven all at once.

use std::fmt::Write as _;

use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::proof::{
    Aspect, Command, CommandVerdict, Counterexample, Prover, Scope, Session, TablePolicies, Verdict,
};
use tokio_postgres::{Client, IsolationLevel, SimpleQueryMessage};

use super::support::{self, Database};

/// The tenant setting of all tests.
pub(crate) const SETTING: &str = "app.current_tenant";

/// A database, and a role of its own that owns nothing.
pub(crate) struct Fixture {
    pub(crate) database: Database,
    pub(crate) client: Client,
    pub(crate) role: String,
}

impl Fixture {
    /// A database with these statements run as its superuser; `{role}` is the role's name.
    pub(crate) async fn new(hint: &str, setup: &str) -> Self {
        let database = Database::create(hint).await;
        let client = database.admin().await;
        // Roles are cluster-wide: the database's name, which is the server's own, makes it this test's.
        let name: String = client
            .query_one("select current_database()::text", &[])
            .await
            .unwrap()
            .get(0);
        let role = format!("proof_{name}");
        support::run(&client, &format!("create role {role} login")).await;
        let fixture = Self {
            database,
            client,
            role,
        };
        fixture.run(setup).await;
        fixture
    }

    /// Runs statements; `{role}` is the role's name.
    pub(crate) async fn run(&self, sql: &str) {
        support::run(&self.client, &sql.replace("{role}", &self.role)).await;
    }

    pub(crate) async fn catalog(&self) -> Catalog {
        let mut client = self.database.admin().await;
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .unwrap();
        let catalog = Catalog::load(&transaction, &LoadOptions::default()).await;
        catalog.unwrap_or_else(|error| panic!("{}", error.chain()))
    }

    pub(crate) fn session(&self, catalog: &Catalog) -> Session {
        Session::of(catalog, catalog.role_named(&self.role).unwrap(), SETTING)
    }

    /// Runs a counterexample's statements in a new session and says what its last queries gave.
    pub(crate) async fn replay(&self, counterexample: &Counterexample) -> Vec<Option<String>> {
        let client = self.database.admin().await;
        let messages = client.simple_query(&counterexample.sql).await;
        let messages = messages.unwrap_or_else(|error| {
            let reason = error.as_db_error().map_or(error.to_string(), ToString::to_string);
            panic!("{reason}\n{}", counterexample.sql)
        });
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.columns()[0].name() != "set_config" => {
                Some(row.get(0).map(str::to_owned))
            }
            _ => None,
        });
        rows.collect()
    }
}

/// The column's number.
pub(crate) fn attnum(catalog: &Catalog, table: &str, column: &str) -> i16 {
    let relation = catalog.relation_named("app", table).unwrap();
    let column = relation.column_named(column);
    column
        .unwrap_or_else(|| panic!("no such column in {table}"))
        .number
}

/// Proves one command on one table whose tenant column is `column`.
pub(crate) fn prove(
    prover: &Prover<'_>,
    catalog: &Catalog,
    table: &str,
    column: &str,
    command: Command,
) -> CommandVerdict {
    let scope = Scope::column(attnum(catalog, table, column));
    let relation = catalog.relation_named("app", table).unwrap();
    prover.prove(&TablePolicies::of(relation), &scope, command)
}

/// `P`, `R` or `U` for each aspect.
pub(crate) fn letters(verdict: &CommandVerdict) -> String {
    let letter = |verdict: &Verdict| match verdict {
        Verdict::Proven(_) => 'P',
        Verdict::Refuted(_) => 'R',
        Verdict::Undecided(_) => 'U',
    };
    verdict
        .aspects
        .iter()
        .map(|(_, verdict)| letter(verdict))
        .collect()
}

/// Everything a verdict says, for a failing test.
pub(crate) fn describe(verdict: &CommandVerdict) -> String {
    let mut text = String::new();
    for (aspect, verdict) in &verdict.aspects {
        let said = match verdict {
            Verdict::Proven(proof) => format!("proven: {} {:?}", proof.explanation, proof.assumptions),
            Verdict::Refuted(c) => format!("refuted: {} {:?}\n{}", c.explanation, c.unchecked, c.sql),
            Verdict::Undecided(u) => format!("undecided: {}: {}", u.reason, u.expression),
        };
        let _ = writeln!(text, "    {aspect:?} {said}");
    }
    text
}

/// The counterexamples in a verdict.
pub(crate) fn counterexamples(verdict: &CommandVerdict) -> impl Iterator<Item = (Aspect, &Counterexample)> {
    verdict
        .aspects
        .iter()
        .filter_map(|(aspect, verdict)| match verdict {
            Verdict::Refuted(counterexample) => Some((*aspect, counterexample.as_ref())),
            _ => None,
        })
}
