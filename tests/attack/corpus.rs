//! Over the schemas of every check and every probe: a run leaves nothing behind, and attacks and checks agree.
//!
//! They agree where a check's error is confirmed by an attack (or the door was not attacked, with a reason), where a
//! leak that an attack shows is named by a check, and where the good schemas hold. What differs is listed here, with the
//! reason why.

use std::collections::{BTreeMap, BTreeSet};

use rls_tool::attack;
use rls_tool::audit::{AttackMode, Audit, DoorVerdict, Severity, checks};
use rls_tool::model::Config;

use crate::common::{attack_within_as, doors};
use crate::harmless::content_of;
use crate::support::{Database, run};
use tokio_postgres::{Client, IsolationLevel};

/// Errors of checks that no attack confirms, by check, each with the reason.
const UNCONFIRMED: &[(&str, &str)] = &[
    (
        "role-bypasses-row-security",
        "one finding on the role says it all; attacks would repeat it at every table",
    ),
    ("role-can-escape", "as above"),
    (
        "role-owns-tables",
        "the owner of all tables is not attacked, it can switch row security off",
    ),
    ("all-data-role", "the role reads everything by membership"),
    (
        "role-can-replicate",
        "replication is another protocol: no statement shows it",
    ),
    (
        "truncate-granted",
        "TRUNCATE is certain, and locks the whole table",
    ),
    (
        "foreign-table-exposed",
        "what is done to a foreign table leaves the transaction",
    ),
    ("publication-sends-tenants", "replication is another protocol"),
    ("large-objects-shared", "large objects have no tenant to compare"),
    (
        "system-catalog-granted",
        "what catalogs and statistics hold is outside the model of the attacks",
    ),
    (
        "pinned-tenant",
        "the binding is fixed in the role's own settings, which the attacks' session does not take on",
    ),
    (
        "schema-creatable",
        "the attack needs another session's name lookup",
    ),
    (
        "trigger-granted",
        "a trigger of the attacker's fires in another tenant's session",
    ),
    ("references-granted", "a foreign key is made by DDL"),
    ("helper-redefinable", "the helper is replaced by DDL"),
    (
        "helper-immutable",
        "it shows where a plan outlives a change of tenant: attacks make a plan each",
    ),
    (
        "helper-search-path",
        "the helper's binding has to be declared before its table can be attacked",
    ),
    (
        "shared-rows",
        "flags are set on the session's own rows only; removing what others share is left to the proof",
    ),
    ("default-privileges-open", "it is about tables to come"),
    (
        "policy-table-writable",
        "it takes two steps: the attacker first writes itself into the table that the policy looks up",
    ),
];

/// Leaks that attacks show in check folders' schemas and no check names as an error, by the file.
const UNNAMED: &[(&str, &str)] = &[
    (
        "comparison-not-exact/bad-pattern.sql",
        "a warning of the check: only a session that binds itself to '%', which is no tenant, gets through",
    ),
    (
        "foreign-key-unscoped/bad-cascade.sql",
        "a warning at the referring table: whether its rows go along is seen at the table that is deleted from",
    ),
    (
        "setting-differs/bad.sql",
        "a warning: the setting that the policy reads is misspelled, and anybody's to set",
    ),
];

/// What a run could leave behind, in short; `harmless` compares everything.
const CATALOGS: &[&str] = &[
    "select oid, relname, relowner, relkind, relacl, relrowsecurity, relforcerowsecurity from pg_class",
    "select oid, rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles",
    "table pg_constraint",
    "table pg_policy",
    "table pg_trigger",
    "table pg_auth_members",
];

/// Every table and the catalogs. Sequences advance where a trigger or a default draws from one, as the documentation says.
async fn content(client: &Client) -> Vec<String> {
    let lines = content_of(client, CATALOGS).await;
    lines.into_iter().filter(|line| !line.contains("_seq ")).collect()
}

struct Seen {
    /// Errors of checks: check and object.
    errors: BTreeSet<(String, String)>,
    /// Doors that leak by attack, by the attacked object.
    leaks: BTreeSet<String>,
    undecided: Vec<String>,
}

/// Applies the SQL in a transaction, audits it with checks alone and with attacks alone, and compares what is there before
/// and after.
async fn look(database: &Database, name: &str, sql: &str) -> Seen {
    // A session that has never set the tenant can be had only once.
    let mut client = database.admin().await;
    // A snapshot: what tests beside this one commit, roles above all, does not show.
    let isolated = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead);
    let mut transaction = isolated.start().await.unwrap();
    // Before PostgreSQL 15 everybody may create objects in public, which has a check of its own.
    run(transaction.client(), "revoke create on schema public from public").await;
    run(transaction.client(), sql).await;
    let lines: Vec<&str> = sql
        .lines()
        .filter_map(|line| line.strip_prefix("-- rls.toml:"))
        .collect();
    let mut config =
        Config::parse(&lines.join("\n"), name).unwrap_or_else(|error| panic!("{name}: {}", error.chain()));
    config.roles.extend(
        sql.lines()
            .filter_map(|line| line.strip_prefix("-- role:"))
            .map(|role| role.trim().to_owned()),
    );
    let before = content(transaction.client()).await;
    let (catalog, outcome) = attack_within_as(&mut transaction, &config).await;
    assert_eq!(
        content(transaction.client()).await,
        before,
        "{name} left something behind"
    );
    let report = Audit::new()
        .config(config)
        .attack(AttackMode::Off)
        .run_offline(&catalog)
        .unwrap_or_else(|error| panic!("{name}: {}", error.chain()));
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let door = finding.door.as_ref().unwrap_or(&finding.object);
            (finding.check.clone(), door.to_string())
        })
        .collect();
    let leaks = outcome
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Leak)
        .map(|door| door.object.to_string())
        .collect();
    transaction.rollback().await.unwrap();
    Seen {
        errors,
        leaks,
        undecided: doors(&outcome, DoorVerdict::Undecided),
    }
}

#[tokio::test]
async fn checks_and_attacks_agree_and_nothing_remains() {
    let database = Database::create("corpus").await;
    let mut disagreements = Vec::new();
    let mut confirmed: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in checks() {
        for (file, sql) in entry.bad.iter().chain(entry.good) {
            let name = format!("{}/{file}", entry.name);
            let seen = look(&database, &name, sql).await;
            for (check, object) in &seen.errors {
                // An object that is a role or a setting, or lies behind a door that leaks, is confirmed by any leak.
                let direct = seen.leaks.contains(object) || !object.contains('.') && !seen.leaks.is_empty();
                let behind = seen
                    .leaks
                    .iter()
                    .any(|leak| !seen.errors.iter().any(|(_, named)| named == leak));
                let excused = UNCONFIRMED.iter().any(|(known, _)| known == check);
                if direct || behind {
                    *confirmed.entry(entry.name).or_default() += 1;
                } else if !excused {
                    let why: Vec<_> = seen
                        .undecided
                        .iter()
                        .filter(|line| line.contains(object.as_str()))
                        .collect();
                    disagreements.push(format!("{name}: no attack confirms {check} {object} {why:?}"));
                }
            }
            for leak in &seen.leaks {
                let named = seen
                    .errors
                    .iter()
                    .any(|(_, object)| object == leak || !object.contains('.'));
                if !named && !UNNAMED.iter().any(|(known, _)| *known == name) {
                    disagreements.push(format!("{name}: no check names the leak through {leak}"));
                }
            }
        }
    }
    assert!(disagreements.is_empty(), "{disagreements:#?}");
    assert!(confirmed.len() > 10, "{confirmed:?}");
}

#[tokio::test]
async fn nothing_remains_of_the_probes_schemas() {
    let database = Database::create("corpus_probes").await;
    for probe in attack::probes() {
        for (file, sql) in probe.bad.iter().chain(probe.good) {
            look(&database, &format!("{}/{file}", probe.name), sql).await;
        }
    }
}
