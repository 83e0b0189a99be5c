//! What only another process can show: this test binary, started again with one of the programs below.

use std::process::{Command, Output};

use rls_tool::testing::{Postgres, server};

use crate::shop::shop;

/// Runs one of the programs below in a process of its own.
fn run(program: &str, variables: &[(&str, &str)]) -> (Output, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            program,
            "--ignored",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
#[ignore = "a program that another test starts"]
async fn failing() {
    let db = shop("failing").await;
    let client = db.as_role(crate::shop::ROLE).await.unwrap();
    drop(client.batch_execute("select 'the statement', 1 / 0").await);
    panic!("as the test wants it");
}

#[test]
fn the_servers_log_is_shown_when_a_test_fails() {
    // A server that is there already keeps its log to itself.
    let (output, text) = run("children::failing", &[("RLS_TEST_DATABASE_URL", "")]);
    assert!(!output.status.success());
    for part in [
        "the server's log about database rls_test_",
        "division by zero",
        "select 'the statement'",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
#[ignore = "a program that another test starts"]
async fn ready() {
    match Postgres::start().await {
        Ok(db) => println!("ready {}", db.name()),
        Err(error) => panic!("{}\nhelp: {}", error.chain(), error.help().unwrap_or("none")),
    }
}

/// Never skipped: an unreachable server, and a version that nobody has, fail and say what to do.
#[test]
fn a_server_that_cannot_be_had_fails_the_test() {
    let (output, text) = run(
        "children::ready",
        &[("RLS_TEST_DATABASE_URL", "postgres://nobody:s3cret@127.0.0.1:1/x")],
    );
    assert!(!output.status.success());
    assert!(
        text.contains("RLS_TEST_DATABASE_URL") && text.contains("help: "),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
    let (output, text) = run("children::ready", &[("RLS_TEST_PG_VERSION", "seventeen")]);
    assert!(
        !output.status.success() && text.contains("not a major version"),
        "{text}"
    );
}

/// A server of somebody else's, with passwords: nothing is left behind, not even by a process that was killed.
#[tokio::test]
async fn a_server_that_is_there_is_used_and_left_clean() {
    let other = rls_tool::ephemeral::Server::builder().start().await.unwrap();
    let admin = other.options().connect().await.unwrap();
    // What a process that does not live any more left behind: its name has the place of this maintenance database.
    let url = other.url();
    let (output, text) = run("children::whole", &[("RLS_TEST_DATABASE_URL", url.as_str())]);
    assert!(output.status.success(), "{text}");
    let name = text
        .lines()
        .find_map(|line| line.split("ready ").nth(1))
        .unwrap()
        .trim()
        .to_owned();
    admin
        .batch_execute(&format!("create database \"{name}\""))
        .await
        .unwrap();
    let (output, text) = run("children::whole", &[("RLS_TEST_DATABASE_URL", url.as_str())]);
    assert!(output.status.success(), "{text}");
    let sql = "select datname::text from pg_database where datname like 'rls_test%' order by 1";
    let left: Vec<String> = admin
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(
        left.iter().all(|name| name.starts_with("rls_test_template_")),
        "{left:?}"
    );
    // Of the files that both runs applied there is one template.
    assert_eq!(left.len(), 1, "{left:?}");
    // The roles that were made have a password there.
    let sql = "select count(*) from pg_authid where rolname = 'testing_shop' and rolpassword is not null";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);
    other.stop().await;
}

#[tokio::test]
#[ignore = "a program that another test starts"]
async fn whole() {
    let db = shop("whole").await;
    println!("ready {}", db.name());
    let [a, _] = db.tenants().await.unwrap();
    db.as_tenant(&a).await.unwrap().sees_only("shop.orders").await;
    assert_eq!(server().await.unwrap().origin(), "RLS_TEST_DATABASE_URL");
}
