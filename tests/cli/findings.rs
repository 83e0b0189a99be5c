//! Living with findings: levels, allowances that expire, baselines, diff, matrix, fix, init.

use std::path::Path;

use serde_json::Value;
use tokio_postgres::Client;

use crate::support::{Database, run as sql};
use crate::{run_in, stderr, stdout};

const ROLE: &str = "findings_app";
const SCHEMA: &str = "
    do $$ begin create role findings_app login; exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin create role findings_owner; exception when duplicate_object or unique_violation then null; end $$;
    create schema app;
    grant usage on schema app to findings_app;
    create table app.tenants (id text primary key);
    create table app.notes (id int primary key, tenant_id text not null references app.tenants, text text);
    create policy tenant on app.notes using (tenant_id = current_setting('my.tenant', true));
    alter table app.notes owner to findings_owner;
    grant select, insert on app.notes to findings_app;
";

/// A database whose table has a dormant policy, and a folder to work in.
async fn leaking() -> (Database, tempfile::TempDir) {
    let database = Database::create("findings").await;
    sql(&database.admin().await, SCHEMA).await;
    (database, tempfile::tempdir().unwrap())
}

fn audit(folder: &Path, url: &str, flags: &[&str]) -> (Option<i32>, Value) {
    let base = [
        "verify-isolation",
        "--database-url",
        url,
        "--role",
        ROLE,
        "--tenant-setting",
        "my.tenant",
        "--format",
        "json",
    ];
    let output = run_in(folder, &[&base[..], flags].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.code(), report)
}

fn found(report: &Value, check: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .filter(|finding| finding["check"] == check && finding["object"] == "app.notes");
    found
        .map(|finding| finding["severity"].as_str().unwrap().to_owned())
        .collect()
}

async fn row_security(client: &Client) -> bool {
    let sql = "select relrowsecurity from pg_class where oid = 'app.notes'::regclass";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn levels_are_set_by_flags_over_rls_toml() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let levels = |flags: &[&str]| {
        found(
            &audit(folder.path(), &url, &[&["--attack", "off"], flags].concat()).1,
            "rls-disabled",
        )
    };
    assert_eq!(levels(&[]), ["error"]);
    assert_eq!(levels(&["-W", "rls-disabled"]), ["warning"]);
    assert_eq!(levels(&["-A", "rls-disabled"]), [""; 0]);
    std::fs::write(
        folder.path().join("rls.toml"),
        "[checks]\nrls-disabled = \"info\"\n",
    )
    .unwrap();
    assert_eq!(levels(&[]), ["info"]);
    assert_eq!(levels(&["-D", "rls-disabled"]), ["error"]);
}

#[tokio::test]
async fn an_allowance_ends_with_its_day() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let with = |day: &str| {
        let text = format!(
            "[[allow]]\ncheck = \"rls-disabled\"\nobject = \"app.notes\"\nreason = \"in migration\"\nexpires = {day}\n"
        );
        std::fs::write(folder.path().join("rls.toml"), text).unwrap();
        audit(folder.path(), &url, &["--attack", "off"]).1
    };
    let allowed = with("9998-12-31");
    assert_eq!(found(&allowed, "rls-disabled"), [""; 0]);
    assert_eq!(allowed["allowed"][0]["expires"], "9998-12-31");
    let expired = with("2020-01-31");
    assert_eq!(found(&expired, "rls-disabled"), ["error"], "it is reported again");
    let told = expired["findings"].as_array().unwrap().iter();
    let told = told.filter(|finding| finding["check"] == "unused-declaration");
    let told: Vec<_> = told.map(|finding| finding["message"].as_str().unwrap()).collect();
    assert!(
        told.iter()
            .any(|text| text.contains("until 2020-01-31, which is past")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_baseline_lets_only_new_findings_fail_and_tells_of_stale_ones() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let (status, _) = audit(folder.path(), &url, &["--save-baseline", "known.json"]);
    assert_eq!(status, Some(0), "it was asked for");
    let (status, report) = audit(folder.path(), &url, &["--baseline", "known.json"]);
    assert_eq!(status, Some(0), "{report:#}");
    assert_eq!(report["verdict"], "leaking", "what is known is still so");
    assert_eq!(report["findings"], serde_json::json!([]));
    assert!(!report["known"].as_array().unwrap().is_empty());

    let admin = database.admin().await;
    sql(
        &admin,
        "create table app.files (tenant_id text not null); grant select on app.files to findings_app",
    )
    .await;
    let (status, report) = audit(folder.path(), &url, &["--baseline", "known.json"]);
    assert_eq!(status, Some(1));
    let objects: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["object"])
        .collect();
    assert!(
        !objects.is_empty() && objects.iter().all(|object| *object != "app.notes"),
        "{objects:?}"
    );

    sql(
        &admin,
        "drop table app.files; alter table app.notes enable row level security, force row level security",
    )
    .await;
    let (status, report) = audit(folder.path(), &url, &["--baseline", "known.json"]);
    assert_eq!(status, Some(0), "{report:#}");
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("rls-disabled on app.notes") && notes.contains("not found any more"),
        "{notes}"
    );
}

#[tokio::test]
async fn diff_fails_when_isolation_got_weaker() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let admin = database.admin().await;
    let save = |name: &str| {
        let (catalog, report) = (format!("{name}.catalog.json"), format!("{name}.json"));
        let flags = [
            "--save-catalog",
            &catalog,
            "--output",
            &report,
            "--fail-on",
            "never",
            "--format",
            "json",
        ];
        let base = [
            "verify-isolation",
            "--database-url",
            &url,
            "--role",
            ROLE,
            "--tenant-setting",
            "my.tenant",
        ];
        let output = run_in(folder.path(), &[&base[..], &flags].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    save("weak");
    sql(
        &admin,
        "alter table app.notes enable row level security, force row level security",
    )
    .await;
    save("strong");
    for suffix in ["json", "catalog.json"] {
        let diff = |old: &str, new: &str, flags: &[&str]| {
            let (old, new) = (format!("{old}.{suffix}"), format!("{new}.{suffix}"));
            let base = [
                "diff",
                &old,
                &new,
                "--role",
                ROLE,
                "--tenant-setting",
                "my.tenant",
            ];
            run_in(folder.path(), &[&base[..], flags].concat())
        };
        let output = diff("strong", "weak", &[]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(
            stdout(&output).starts_with("weaker\n") && stdout(&output).contains("app.notes"),
            "{}",
            stdout(&output)
        );
        let output = diff("weak", "strong", &["--format", "json"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}{}",
            stdout(&output),
            stderr(&output)
        );
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["weaker"], serde_json::json!([]));
        assert!(!json["stronger"].as_array().unwrap().is_empty());
        let output = diff("weak", "weak", &[]);
        assert_eq!(
            (output.status.code(), stdout(&output).lines().next()),
            (Some(0), Some("no difference"))
        );
    }
}

#[tokio::test]
async fn the_matrix_says_who_can_reach_what() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let matrix = |flags: &[&str]| {
        let base = [
            "matrix",
            "--database-url",
            &url,
            "--role",
            ROLE,
            "--tenant-setting",
            "my.tenant",
            "--attack",
            "off",
        ];
        let output = run_in(folder.path(), &[&base[..], flags].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let text = matrix(&[]);
    let row = text.lines().find(|line| line.contains("app.notes")).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["app.notes", "table", "leak", "leak"],
        "{text}"
    );
    let csv = matrix(&["--format", "csv", "--table", "app.no*"]);
    assert!(
        csv.contains("\"findings_app\",\"app.notes\",\"table\",leak,leak,,,,"),
        "{csv}"
    );
    assert_eq!(matrix(&["--table", "nothing.*"]), "");
}

#[tokio::test]
async fn fix_prints_and_applies_only_what_holds_afterwards() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let admin = database.admin().await;
    let fix = |flags: &[&str]| {
        let base = [
            "fix",
            "--database-url",
            &url,
            "--role",
            ROLE,
            "--tenant-setting",
            "my.tenant",
        ];
        run_in(folder.path(), &[&base[..], flags].concat())
    };
    let output = fix(&["rls-disabled"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let script = stdout(&output);
    assert!(
        script.contains("ALTER TABLE \"app\".\"notes\" ENABLE ROW LEVEL SECURITY"),
        "{script}"
    );
    assert!(!row_security(&admin).await, "printing changes nothing");
    // The script is one that psql would take.
    sql(&admin, &script.replace("COMMIT;", "ROLLBACK;")).await;

    let output = fix(&["rls-disabled", "--apply"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    assert!(
        stdout(&output).contains("-- applied and verified: 1 statements"),
        "{}",
        stdout(&output)
    );
    assert!(row_security(&admin).await);
    let (_, report) = audit(folder.path(), &url, &[]);
    assert_eq!(found(&report, "rls-disabled"), [""; 0]);
    let output = fix(&["rls-disabled", "--apply"]);
    assert!(
        stderr(&output).contains("nothing to apply"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_cure_that_opens_another_leak_is_rolled_back() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let admin = database.admin().await;
    // The dormant policy is one that lets everything through: enabling row security would only move the leak.
    sql(&admin, "alter policy tenant on app.notes using (true)").await;
    let output = run_in(
        folder.path(),
        &[
            "fix",
            "--database-url",
            &url,
            "--role",
            ROLE,
            "--tenant-setting",
            "my.tenant",
            "--apply",
        ],
    );
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("nothing was changed: afterwards"),
        "{}",
        stderr(&output)
    );
    assert!(!row_security(&admin).await);
}

#[tokio::test]
async fn init_writes_a_file_that_is_read_and_true() {
    let (database, folder) = leaking().await;
    let url = database.url();
    let init = |flags: &[&str]| {
        run_in(
            folder.path(),
            &[&["init", "--database-url", &url, "--role", ROLE][..], flags].concat(),
        )
    };
    let output = init(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(folder.path().join("rls.toml")).unwrap();
    insta::assert_snapshot!("init", text);
    // verify-isolation needs no flags now.
    let output = run_in(
        folder.path(),
        &["verify-isolation", "--database-url", &url, "--format", "json"],
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["roles"][0], &report["tenant_setting"]),
        (&ROLE.into(), &"my.tenant".into())
    );
    let output = init(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("rls.toml is there already"),
        "{}",
        stderr(&output)
    );
    assert_eq!(init(&["--force"]).status.code(), Some(0));
    assert!(stdout(&init(&["--output", "-"])).contains("tenant_setting = \"my.tenant\""));
}
