//! Verifying one database, and reading the outcome.

use rls_tool::attack::{self, Options, Outcome};
use rls_tool::audit::{Command, DoorVerdict};
use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::model::{Config, Model};
use tokio_postgres::{Client, Transaction};

/// The catalog and model as `role` is audited.
pub(crate) async fn model(transaction: &Transaction<'_>, role: &str) -> (Catalog, Model) {
    let catalog = Catalog::load(transaction, &LoadOptions::default()).await.unwrap();
    let config = Config {
        roles: vec![role.to_owned()],
        ..Config::default()
    };
    let model = Model::build(&catalog, &config).unwrap_or_else(|error| panic!("{}", error.chain()));
    (catalog, model)
}

/// Attacks the database as `role`.
pub(crate) async fn attack(client: &mut Client, role: &str) -> Outcome {
    let transaction = client.transaction().await.unwrap();
    let (catalog, model) = model(&transaction, role).await;
    transaction.rollback().await.unwrap();
    attack::run(client, &catalog, &model, &Options::default())
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// Attacks what was made in an open transaction; the transaction goes on afterwards.
pub(crate) async fn attack_within(transaction: &mut Transaction<'_>, role: &str) -> Outcome {
    let (catalog, model) = model(transaction, role).await;
    let savepoint = transaction.savepoint("attacks").await.unwrap();
    attack::run_within(savepoint, &catalog, &model, &Options::default())
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// The same with a whole configuration; also returns the catalog that was attacked.
pub(crate) async fn attack_within_as(
    transaction: &mut Transaction<'_>,
    config: &Config,
) -> (Catalog, Outcome) {
    let catalog = Catalog::load(transaction, &LoadOptions::default()).await.unwrap();
    let model = Model::build(&catalog, config).unwrap_or_else(|error| panic!("{}", error.chain()));
    let savepoint = transaction.savepoint("attacks").await.unwrap();
    let outcome = attack::run_within(savepoint, &catalog, &model, &Options::default())
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    (catalog, outcome)
}

/// The findings as `check COMMAND object`, sorted.
pub(crate) fn found(outcome: &Outcome) -> Vec<String> {
    let mut list: Vec<_> = outcome
        .findings
        .iter()
        .map(|finding| {
            let command = finding.command.map_or("-", Command::as_sql);
            format!("{} {command} {}", finding.check, finding.object)
        })
        .collect();
    list.sort();
    list
}

/// The doors with a verdict, as `COMMAND object: reason`.
pub(crate) fn doors(outcome: &Outcome, verdict: DoorVerdict) -> Vec<String> {
    outcome
        .doors
        .iter()
        .filter(|door| door.verdict == verdict)
        .map(|door| format!("{} {}: {}", door.command.as_sql(), door.object, door.reason))
        .collect()
}

/// Every finding has been reproduced from its own script.
pub(crate) fn assert_reproduced(outcome: &Outcome) {
    for finding in &outcome.findings {
        let shown = finding.evidence.counterexample.as_ref().unwrap();
        assert_eq!(shown["reproduced"], true, "{}", finding.message);
        assert!(finding.evidence.exploit_sql.is_some(), "{}", finding.message);
    }
}
