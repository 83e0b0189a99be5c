//! What every command heeds: colours, quiet and verbose, .env, waiting for a server, closed pipes.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Database, run as sql};
use crate::{command, run, stderr, stdout};

async fn database() -> Database {
    let database = Database::create("conventions").await;
    sql(
        &database.admin().await,
        "do $$ begin create role conventions_app login; exception when duplicate_object or unique_violation then null; end $$;
         create table t (tenant_id text not null); grant select on t to conventions_app;",
    )
    .await;
    database
}

#[tokio::test]
async fn colours_are_for_terminals_unless_asked_for() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let url = database.url();
    let shown = |flags: &[&str], variables: &[(&str, &str)]| {
        let arguments = [
            "verify-isolation",
            "--database-url",
            &url,
            "--role",
            "conventions_app",
            "--attack",
            "off",
        ];
        let output = command(folder.path(), &[&arguments[..], flags].concat())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stdout(&output).contains('\u{1b}')
    };
    assert!(!shown(&[], &[]));
    assert!(shown(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(shown(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!shown(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(!shown(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!shown(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[tokio::test]
async fn quiet_says_nothing_and_verbose_more() {
    let database = database().await;
    let url = database.url();
    let said = |flag: &[&str]| {
        let base = [
            "verify-isolation",
            "--database-url",
            &url,
            "--role",
            "conventions_app",
            "--save-baseline",
            "b.json",
        ];
        let output = run(&[&base[..], flag].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(said(&[]).starts_with("b.json: known findings: "), "{}", said(&[]));
    assert_eq!(said(&["--quiet"]), "");
    let more = said(&["--verbose"]);
    assert!(
        more.contains("database: ") && more.contains("audited in "),
        "{more}"
    );
}

#[tokio::test]
async fn dotenv_names_the_database_unless_told_otherwise() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let dotenv = folder.path().join(".env");
    let arguments = ["verify-isolation", "--role", "conventions_app", "--attack", "off"];
    std::fs::write(&dotenv, format!("# ours\nDATABASE_URL='{}'\n", database.url())).unwrap();
    let output = command(folder.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    // What the environment says wins, and --no-dotenv leaves the file alone.
    let output = command(folder.path(), &arguments)
        .env("DATABASE_URL", "postgres://127.0.0.1:1/x")
        .output()
        .unwrap();
    assert!(stderr(&output).contains("127.0.0.1:1"), "{}", stderr(&output));
    let output = command(folder.path(), &[&arguments[..], &["--no-dotenv"]].concat())
        .output()
        .unwrap();
    assert!(
        stderr(&output).contains("no database was named"),
        "{}",
        stderr(&output)
    );
    // A malformed file stops only what needs a database, and its lines are not shown.
    std::fs::write(&dotenv, "DATABASE_URL=\"postgres://u:s3cret@h/x\n").unwrap();
    let output = command(folder.path(), &arguments).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("failed to read .env") && !text.contains("s3cret"),
        "{text}"
    );
    assert_eq!(
        command(folder.path(), &["checks"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn wait_keeps_trying_and_gives_up() {
    let start = Instant::now();
    let output = run(&[
        "verify-isolation",
        "--database-url",
        "postgres://u@127.0.0.1:1/x",
        "--wait",
        "1s",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(stderr(&output).contains("127.0.0.1:1"), "{}", stderr(&output));
}

#[test]
fn a_server_that_never_answers_meets_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "postgres://u@127.0.0.1:{}/x?sslmode=disable",
        listener.local_addr().unwrap().port()
    );
    let start = Instant::now();
    let output = run(&[
        "verify-isolation",
        "--database-url",
        &url,
        "--connect-timeout",
        "1s",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(
        stderr(&output).contains("no answer within 1 s"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["completions", "zsh"][..],
        &["man"],
        &["checks"],
        &["explain", "rls-disabled"],
    ] {
        let mut child = command(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(
            (child.wait().unwrap().code(), said.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}
