//! Living with findings: levels, allowances and exemptions that expire, baselines, diff, matrix.

use serde_json::Value;

use crate::leaking::{Leaking, ROLE, ended, found};
use crate::support::run as sql;
use crate::{run_in, stderr};

#[tokio::test]
async fn levels_are_set_by_flags_over_rls_toml() {
    let leaking = Leaking::new().await;
    let levels = |flags: &[&str]| {
        let (_, report) = leaking.audit(&[&["--attack", "off"], flags].concat());
        found(&report, "rls-disabled")
    };
    assert_eq!(levels(&[]), ["error"]);
    assert_eq!(levels(&["-W", "rls-disabled"]), ["warning"]);
    assert_eq!(levels(&["-A", "rls-disabled"]), [""; 0]);
    std::fs::write(
        leaking.folder().join("rls.toml"),
        "[checks]\nrls-disabled = \"info\"\n",
    )
    .unwrap();
    assert_eq!(levels(&[]), ["info"]);
    assert_eq!(levels(&["-D", "rls-disabled"]), ["error"]);
}

/// Audits with this rls.toml, which has an entry that ends on `day`.
fn audit_until(leaking: &Leaking, entry: &str, day: &str) -> (Option<i32>, Value) {
    let text = format!("{entry}\nreason = \"in migration\"\nexpires = {day}\n");
    std::fs::write(leaking.folder().join("rls.toml"), text).unwrap();
    leaking.audit(&["--attack", "off"])
}

/// Whether the report tells of an entry whose day is past.
fn tells_of_the_past(report: &Value) -> bool {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut told = findings.filter(|finding| finding["check"] == "unused-declaration");
    told.any(|finding| {
        let message = finding["message"].as_str().unwrap();
        message.contains("until 2020-01-31, which is past")
    })
}

#[tokio::test]
async fn an_allowance_ends_with_its_day() {
    let leaking = Leaking::new().await;
    let entry = "[[allow]]\ncheck = \"rls-disabled\"\nobject = \"app.notes\"";
    let (_, allowed) = audit_until(&leaking, entry, "9998-12-31");
    assert_eq!(found(&allowed, "rls-disabled"), [""; 0]);
    assert_eq!(allowed["allowed"][0]["expires"], "9998-12-31");
    assert!(!tells_of_the_past(&allowed));
    let (_, expired) = audit_until(&leaking, entry, "2020-01-31");
    assert_eq!(found(&expired, "rls-disabled"), ["error"], "it is reported again");
    assert!(tells_of_the_past(&expired), "{expired:#}");
}

#[tokio::test]
async fn an_exemption_ends_with_its_day() {
    let leaking = Leaking::new().await;
    // One is left, or there would be nothing to audit.
    sql(
        &leaking.admin().await,
        "create table app.files (tenant_id text not null)",
    )
    .await;
    let entry = "[[exempt]]\ntable = \"app.notes\"";
    let (_, exempt) = audit_until(&leaking, entry, "9998-12-31");
    assert_eq!(found(&exempt, "rls-disabled"), [""; 0], "no tenant's table");
    let doors = |report: &Value| {
        let doors = report["doors"].as_array().unwrap();
        doors.iter().filter(|door| door["object"] == "app.notes").count()
    };
    assert_eq!(doors(&exempt), 0, "{exempt:#}");
    assert!(!tells_of_the_past(&exempt));
    let (status, expired) = audit_until(&leaking, entry, "2020-01-31");
    assert_eq!(found(&expired, "rls-disabled"), ["error"], "{expired:#}");
    assert_eq!((status, doors(&expired)), (Some(1), 2), "{expired:#}");
    assert!(tells_of_the_past(&expired), "{expired:#}");
}

#[tokio::test]
async fn a_baseline_lets_only_new_findings_fail_and_tells_of_stale_ones() {
    let leaking = Leaking::new().await;
    let (status, _) = leaking.audit(&["--save-baseline", "known.json"]);
    assert_eq!(status, Some(0), "from now on all of it is known");
    let (status, report) = leaking.audit(&["--baseline", "known.json"]);
    assert_eq!(status, Some(0), "{report:#}");
    assert_eq!(report["verdict"], "leaking", "what is known is still so");
    assert_eq!(report["findings"], serde_json::json!([]));
    assert!(!report["known"].as_array().unwrap().is_empty());
    // Twin: who does not know it fails.
    assert_eq!(leaking.audit(&[]).0, Some(1));
    let text = ended(0, &leaking.run("verify-isolation", &["--baseline", "known.json"]));
    assert!(
        text.contains("Next: nothing is new; what the baseline knows still leaks"),
        "{text}"
    );

    let admin = leaking.admin().await;
    sql(
        &admin,
        "create table app.files (tenant_id text not null); grant select on app.files to findings_app",
    )
    .await;
    let (status, report) = leaking.audit(&["--baseline", "known.json"]);
    assert_eq!(status, Some(1));
    let findings = report["findings"].as_array().unwrap();
    let objects: Vec<_> = findings.iter().map(|finding| &finding["object"]).collect();
    assert!(
        !objects.is_empty() && objects.iter().all(|object| *object != "app.notes"),
        "{objects:?}"
    );

    sql(
        &admin,
        "drop table app.files; alter table app.notes enable row level security, force row level security",
    )
    .await;
    let (status, report) = leaking.audit(&["--baseline", "known.json"]);
    assert_eq!(status, Some(0), "{report:#}");
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("rls-disabled on app.notes") && notes.contains("not found any more"),
        "{notes}"
    );
}

#[tokio::test]
async fn a_baseline_of_nothing_that_was_verified_is_no_success() {
    let leaking = Leaking::new().await;
    // Row security without a policy that the tenant setting has a say in, and no attack: nothing can be decided.
    sql(
        &leaking.admin().await,
        "drop policy tenant on app.notes; alter table app.notes enable row level security, force row level security;
         create function app.unknown(text) returns bool language plpgsql as 'begin return $1 like ''a%''; end';
         create policy odd on app.notes using (app.unknown(tenant_id))",
    )
    .await;
    let flags = [
        "--attack",
        "off",
        "--fail-on",
        "never",
        "--save-baseline",
        "b.json",
    ];
    let output = leaking.run("verify-isolation", &flags);
    ended(2, &output);
    assert!(
        stderr(&output).contains("nothing was verified"),
        "{}",
        stderr(&output)
    );
    assert!(
        leaking.folder().join("b.json").exists(),
        "what was found is saved all the same"
    );
}

#[tokio::test]
async fn diff_fails_when_isolation_got_weaker() {
    let leaking = Leaking::new().await;
    let save = |name: &str| {
        let (catalog, report) = (format!("{name}.catalog.json"), format!("{name}.json"));
        let files = ["--save-catalog", &catalog, "--output", &report];
        let flags = ["--fail-on", "never", "--format", "json"];
        ended(
            0,
            &leaking.run("verify-isolation", &[&files[..], &flags].concat()),
        );
    };
    save("weak");
    sql(
        &leaking.admin().await,
        "alter table app.notes enable row level security, force row level security",
    )
    .await;
    save("strong");
    for suffix in ["json", "catalog.json"] {
        let diff = |old: &str, new: &str, flags: &[&str]| {
            let (old, new) = (format!("{old}.{suffix}"), format!("{new}.{suffix}"));
            let scope = ["--role", ROLE, "--tenant-setting", "my.tenant"];
            run_in(
                leaking.folder(),
                &[&["diff", &old, &new], &scope[..], flags].concat(),
            )
        };
        let text = ended(1, &diff("strong", "weak", &[]));
        assert!(
            text.starts_with("weaker\n") && text.contains("app.notes"),
            "{text}"
        );
        let text = ended(0, &diff("weak", "strong", &["--format", "json"]));
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["weaker"], serde_json::json!([]));
        assert!(!json["stronger"].as_array().unwrap().is_empty());
        let text = ended(0, &diff("weak", "weak", &[]));
        assert_eq!(text.lines().next(), Some("no difference"));
    }
}

#[tokio::test]
async fn the_matrix_says_who_can_reach_what() {
    let leaking = Leaking::new().await;
    let matrix = |flags: &[&str]| ended(0, &leaking.run("matrix", &[&["--attack", "off"], flags].concat()));
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
