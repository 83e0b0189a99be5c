//! Every check's `bad*.sql` and `good*.sql`, each applied in a transaction of a real server, audited, rolled back.
//!
//! A line `-- expect: <check> <object>` stands in a bad file for one finding; `-- expect before 16: …` and `-- expect
//! since 16: …` for one that depends on the server's version. Findings and expectations must agree
//! both ways, over all checks from warning upwards and over the file's own check at any severity; a good file has none.
//! A line `-- rls.toml: <line>` configures the audit. `cargo test --test fixtures rls-disabled` runs one check's files.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use rls_tool::audit::{Audit, Entry, Severity, checks};
use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::model::Config;
use support::Database;
use tokio::runtime::Runtime;

fn main() {
    let arguments = Arguments::from_args();
    let trials = checks()
        .iter()
        .flat_map(|entry| entry.bad.iter().chain(entry.good).map(move |file| (entry, file)))
        .map(|(entry, &(file, sql))| {
            Trial::test(format!("{}/{file}", entry.name), move || check(entry, file, sql))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(entry: &Entry, file: &str, sql: &str) -> Result<(), Failed> {
    let runtime = Runtime::new()?;
    let (mut found, version) = runtime.block_on(findings(entry, sql))?;
    let mut expected = expectations(sql, version)?;
    if file.starts_with("bad")
        && !sql.contains("-- expect before")
        && !sql.contains("-- expect since")
        && expected.iter().all(|(check, _)| check != entry.name)
    {
        return Err(format!("{file} expects no {}", entry.name).into());
    }
    if file.starts_with("good") && !expected.is_empty() {
        return Err(format!("{file} expects findings").into());
    }
    expected.sort();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let seen: Vec<_> = found.iter().map(|(key, _)| key.clone()).collect();
    if seen == expected {
        return Ok(());
    }
    let said: Vec<_> = found
        .iter()
        .map(|((check, object), message)| format!("{check} {object}: {message}"))
        .collect();
    Err(format!("expected {expected:#?}\nfound {said:#?}").into())
}

type Key = (String, String);

fn expectations(sql: &str, version: i32) -> Result<Vec<Key>, Failed> {
    let versions = 14..=18;
    let before = versions
        .clone()
        .filter(|limit| version < *limit)
        .map(|limit| format!("-- expect before {limit}: "));
    let since = versions
        .filter(|limit| version >= *limit)
        .map(|limit| format!("-- expect since {limit}: "));
    let markers: Vec<_> = before.chain(since).chain(["-- expect: ".to_owned()]).collect();
    markers
        .iter()
        .flat_map(|marker| marked(sql, marker))
        .map(|line| match line.split_once(' ') {
            Some((check, object)) => Ok((check.to_owned(), object.to_owned())),
            None => Err(format!("malformed expectation {line:?}").into()),
        })
        .collect()
}

fn marked<'a>(sql: &'a str, marker: &'a str) -> impl Iterator<Item = &'a str> {
    sql.lines()
        .filter_map(move |line| line.trim().strip_prefix(marker))
}

async fn findings(entry: &Entry, sql: &str) -> Result<(Vec<(Key, String)>, i32), Failed> {
    let database = Database::create("fixture").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    // Before PostgreSQL 15 everybody may create objects in public, which has a check of its own.
    transaction
        .batch_execute("revoke create on schema public from public")
        .await?;
    transaction
        .batch_execute(sql)
        .await
        .map_err(|error| format!("the fixture does not run: {error:?}"))?;
    let catalog = Catalog::load(
        &transaction,
        &LoadOptions {
            shown_settings: vec!["app.current_tenant".into()],
        },
    )
    .await
    .map_err(|error| error.chain())?;
    transaction.rollback().await.unwrap();
    let declared: Vec<_> = marked(sql, "-- rls.toml: ").collect();
    let config = Config::parse(&declared.join("\n"), "rls.toml").map_err(|error| error.chain())?;
    // Databases of this harness are numbered; a fixture cannot know which one it gets.
    let name = format!("database:{}", catalog.server.database);
    let report = Audit::new()
        .config(config)
        .run_offline(&catalog)
        .map_err(|error| error.chain())?;
    let version = catalog.server.major();
    let found = report
        .findings
        .into_iter()
        .filter(|finding| finding.severity >= Severity::Warning || finding.check == entry.name)
        .map(|finding| {
            (
                (
                    finding.check,
                    finding.object.to_string().replace(&name, "database:fixture"),
                ),
                finding.message,
            )
        })
        .collect();
    Ok((found, version))
}
