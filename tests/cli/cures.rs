//! `fix`, which cures what it can, and `init`, which writes down what it sees.

use serde_json::Value;

use crate::leaking::{Leaking, ROLE, ended, found};
use crate::support::run as sql;
use crate::{run_in, stderr};

#[tokio::test]
async fn fix_prints_and_applies_only_what_holds_afterwards() {
    let leaking = Leaking::new().await;
    let script = ended(0, &leaking.run("fix", &["rls-disabled"]));
    assert!(
        script.contains("ALTER TABLE \"app\".\"notes\" ENABLE ROW LEVEL SECURITY"),
        "{script}"
    );
    assert!(!leaking.row_security().await, "printing changes nothing");
    // The script is one that psql would take.
    sql(&leaking.admin().await, &script.replace("COMMIT;", "ROLLBACK;")).await;

    let text = ended(0, &leaking.run("fix", &["rls-disabled", "--apply"]));
    assert!(text.contains("-- applied and verified: 1 statement\n"), "{text}");
    assert!(leaking.row_security().await);
    let (_, report) = leaking.audit(&[]);
    assert_eq!(found(&report, "rls-disabled"), [""; 0]);
    let output = leaking.run("fix", &["rls-disabled", "--apply"]);
    assert!(
        stderr(&output).contains("nothing to apply"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_cure_that_opens_another_leak_is_rolled_back() {
    let leaking = Leaking::new().await;
    // The dormant policy is one that lets everything through: enabling row security would only move the leak.
    sql(
        &leaking.admin().await,
        "alter policy tenant on app.notes using (true)",
    )
    .await;
    let output = leaking.run("fix", &["--apply"]);
    ended(2, &output);
    assert!(
        stderr(&output).contains("nothing was changed: afterwards"),
        "{}",
        stderr(&output)
    );
    assert!(!leaking.row_security().await);
}

#[tokio::test]
async fn init_writes_a_file_that_is_read_and_true() {
    let leaking = Leaking::new().await;
    let url = leaking.url();
    let init = |flags: &[&str]| {
        let base = ["init", "--database-url", &url, "--role", ROLE];
        run_in(leaking.folder(), &[&base[..], flags].concat())
    };
    ended(0, &init(&[]));
    let text = std::fs::read_to_string(leaking.folder().join("rls.toml")).unwrap();
    insta::assert_snapshot!("init", text);
    // verify-isolation needs no flags now.
    let output = run_in(
        leaking.folder(),
        &["verify-isolation", "--database-url", &url, "--format", "json"],
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["roles"][0], &report["tenant_setting"]),
        (&ROLE.into(), &"my.tenant".into())
    );
    let output = init(&[]);
    ended(2, &output);
    assert!(
        stderr(&output).contains("rls.toml is there already"),
        "{}",
        stderr(&output)
    );
    ended(0, &init(&["--force"]));
    assert!(ended(0, &init(&["--output", "-"])).contains("tenant_setting = \"my.tenant\""));
}
