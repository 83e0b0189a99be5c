//! `rls-tool verify-isolation`, `checks` and `explain` as a script meets them: exit status, streams, errors.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{Database, refuse_password, run};

fn tool(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rls-tool"));
    command.args(arguments).current_dir(std::env::temp_dir());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// Exit 2, nothing on stdout, and what stands on stderr.
fn failure(arguments: &[&str]) -> String {
    let output = tool(arguments);
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(output.stdout.is_empty(), "errors do not go to stdout");
    assert!(
        text.starts_with("error: ") && !text.contains("panicked"),
        "{text}"
    );
    text
}

/// A database whose table is open to the role; `held` has a policy, `empty` was granted nothing.
async fn leaking() -> Database {
    let database = Database::create("cli").await;
    let admin = database.admin().await;
    for role in ["cli_app", "cli_empty"] {
        run(
            &admin,
            &format!("do $$ begin create role {role} login; exception when duplicate_object or unique_violation then null; end $$"),
        )
        .await;
    }
    run(
        &admin,
        "create table invoice (tenant_id text not null, total int); grant select on invoice to cli_app",
    )
    .await;
    database
}

#[tokio::test]
async fn a_leak_is_exit_1_and_json_says_where() {
    let database = leaking().await;
    let url = database.url();
    let base = [
        "verify-isolation",
        "--database-url",
        &url,
        "--role",
        "cli_app",
        "--attack",
        "off",
    ];
    let output = tool(&[&base[..], &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "leaking");
    assert_eq!(report["roles"], serde_json::json!(["cli_app"]));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["check"], &finding["object"]),
        (&"rls-disabled".into(), &"public.invoice".into())
    );
    assert_eq!(report["doors"][0]["verdict"], "leak");

    let output = tool(&base);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("LEAKING") && !stdout(&output).contains('\u{1b}'));
    assert!(stdout(&output).lines().last().unwrap().contains("undecided"));
    let output = tool(&[&base[..], &["--fail-on", "never"]].concat());
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn the_report_goes_to_a_file_and_a_saved_catalog_gives_the_same() {
    let database = leaking().await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (first, second, catalog) = (path("a.json"), path("b.json"), path("catalog.json"));
    let audit = [
        "verify-isolation",
        "--role",
        "cli_app",
        "--attack",
        "off",
        "--format",
        "json",
    ];
    let online = [
        &audit[..],
        &[
            "--database-url",
            &url,
            "--output",
            &first,
            "--save-catalog",
            &catalog,
        ],
    ]
    .concat();
    let output = tool(&online);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), ""));
    let output = tool(&[&audit[..], &["--catalog", &catalog, "--output", &second]].concat());
    assert_eq!(output.status.code(), Some(1));
    let read = |path: &str| {
        let mut report: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        report["summary"]["elapsed_ms"] = Value::Null;
        report["origin"]["audited_at"] = Value::Null;
        report
    };
    assert_eq!(read(&first), read(&second));
}

#[tokio::test]
async fn where_nothing_was_verified_the_exit_status_is_2() {
    let database = leaking().await;
    let url = database.url();
    let output = tool(&["verify-isolation", "--database-url", &url, "--role", "cli_empty"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stdout(&output).starts_with("UNDECIDED"),
        "the report is written all the same"
    );
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("nothing was verified: not one door of cli_empty"),
        "{error}"
    );
}

#[tokio::test]
async fn the_reference_schema_is_isolated_until_a_policy_is_broken() {
    let database = Database::migrated("cli_reference").await;
    let url = database.url();
    let arguments = ["verify-isolation", "--database-url", &url, "--format", "json"];
    let output = tool(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["verdict"], "isolated");
    assert!(report["summary"]["attacks_run"].as_u64().unwrap() > 100);

    run(
        &database.admin().await,
        "alter policy tenant_isolation on app.users using (true)",
    )
    .await;
    let output = tool(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "leaking");
    let exploit = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["object"] == "app.users" && finding["evidence"]["kind"] == "attack");
    assert!(
        exploit.unwrap()["evidence"]["exploit_sql"]
            .as_str()
            .unwrap()
            .contains("app_user")
    );
}

#[tokio::test]
async fn the_model_is_explained() {
    let database = leaking().await;
    let output = tool(&[
        "verify-isolation",
        "--database-url",
        &database.url(),
        "--explain-model",
        "--role",
        "cli_app",
    ]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("public.invoice: has the tenant column tenant_id"));
    assert!(stdout(&output).contains("cli_app: SELECT public.invoice (granted SELECT)"));
}

#[tokio::test]
async fn wrong_names_are_refused_with_a_suggestion() {
    let database = leaking().await;
    let url = database.url();
    let refused = |arguments: &[&str]| {
        failure(&[&["verify-isolation", "--database-url", &url][..], arguments].concat())
    };
    assert!(refused(&["--role", "cli_ap"]).contains("did you mean \"cli_app\"?"));
    assert!(refused(&["--tenant-column", "tenantId"]).contains("did you mean --tenant-column tenant_id?"));
    assert!(refused(&["--schema", "pubic"]).contains("did you mean \"public\"?"));
    assert!(refused(&["--bind", "x"]).contains("NAME=TEMPLATE"));
}

#[test]
fn files_that_are_missing_or_malformed_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |flag: &str, name: &str, content: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let text = failure(&["verify-isolation", flag, path.to_str().unwrap(), "--role", "x"]);
        assert!(text.contains(name), "{text}");
        text
    };
    refused("--config", "missing.toml", None);
    refused("--config", "latin1.toml", Some(b"roles = [\"\xe9\"]"));
    let key = refused("--config", "key.toml", Some(b"roles = []\ntenant_kolumn = 1\n"));
    assert!(key.contains("line 2") && key.contains("tenant_kolumn"), "{key}");
    refused("--catalog", "missing.json", None);
    refused("--catalog", "no.json", Some(b"{}"));
    let old = refused("--catalog", "old.json", Some(b"{\"format\": 0}"));
    assert!(old.contains("form 0"), "{old}");
}

#[test]
fn usage_errors_are_exit_2() {
    for arguments in [
        &["verify-isolation", "--format", "yaml"][..],
        &["verify-isolation", "--nope"],
        &["nope"],
    ] {
        let output = tool(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    assert!(failure(&["verify-isolation"]).contains("no database was named"));
    assert!(
        failure(&["verify-isolation", "--database-url", "postgres://u:s3cret@[/x"]).contains("malformed")
    );
}

#[test]
fn an_unreachable_host_and_a_wrong_password_are_one_clear_message() {
    let unreachable = failure(&[
        "verify-isolation",
        "--database-url",
        "postgres://u:s3cret@127.0.0.1:1/x",
    ]);
    assert!(
        unreachable.contains("127.0.0.1:1") && !unreachable.contains("s3cret"),
        "{unreachable}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || refuse_password(&listener));
    let url = format!("postgres://u:s3cret@127.0.0.1:{port}/x?sslmode=disable");
    let refused = failure(&["verify-isolation", "--database-url", &url]);
    server.join().unwrap();
    assert!(
        refused.contains("password authentication failed") && !refused.contains("s3cret"),
        "{refused}"
    );
}

#[test]
fn checks_are_listed_and_explained() {
    let list = tool(&["checks"]);
    assert_eq!(list.status.code(), Some(0));
    assert!(stdout(&list).contains("rls-disabled"));
    let page = tool(&["explain", "rls-disabled"]);
    assert!(stdout(&page).contains("## How to fix") && stdout(&page).contains("create table invoice"));
    assert!(failure(&["explain", "rls-disable"]).contains("did you mean rls-disabled?"));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = command(&["explain", "rls-disabled"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_default_config_is_read_from_the_working_directory() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rls.toml"), "nope = 1").unwrap();
    let output = command(&["verify-isolation"])
        .current_dir(folder.path() as &Path)
        .output()
        .unwrap();
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("rls.toml, line 1")
    );
}
