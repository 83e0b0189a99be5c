//! `--dry-run`: everything runs, the SQL is printed, and nothing stays.

use crate::project::{Project, exists, names, value, versions};
use crate::support::{Database, run};
use crate::tool::{failure, tool};

fn project() -> Project {
    Project::new(&[
        (
            "migrations/V1__t.sql",
            "create table t (a int);\ninsert into t values (1)",
        ),
        (
            "migrations/V2__u.sql",
            "create table u as select a + 1 as b from t;",
        ),
        (
            "policies/t.sql",
            "alter table t enable row level security;\ncreate policy p on t using (true);",
        ),
    ])
}

/// Everything that a run could leave.
const LEFT: &str = "select count(*) from pg_class where relnamespace = 'public'::regnamespace";

#[tokio::test]
async fn nothing_stays() {
    let database = Database::create("dry").await;
    let mut client = database.admin().await;
    let project = project();
    let report = project.migrator().dry_run(true).run(&mut client).await.unwrap();
    assert!(report.dry_run);
    assert_eq!(names(&report), ["V1__t.sql", "V2__u.sql", "t.sql"]);
    assert_eq!(value(&client, LEFT).await, "0");
    // The twin: a run that is not dry leaves it all.
    project.run(&mut client).await;
    assert!(exists(&client, "u").await && versions(&client).await == "1,2");
}

#[tokio::test]
async fn the_program_prints_a_script_that_could_be_run() {
    let database = Database::create("dry").await;
    let (project, url) = (project(), database.url());
    let (code, script, _) = tool(
        &project.path(""),
        &["migrate", "--dry-run", "--database-url", &url],
    );
    assert_eq!(code, 0);
    assert_eq!(
        script,
        "-- migrations/V1__t.sql\n\
         create table t (a int);\n\
         insert into t values (1)\n\
         ;\n\
         \n\
         -- migrations/V2__u.sql\n\
         create table u as select a + 1 as b from t;\n\
         \n\
         -- policies/t.sql\n\
         alter table t enable row level security;\n\
         create policy p on t using (true);\n\
         \n\
         -- dry run, rolled back: 2 migrations, 1 policy files\n"
    );
    let client = database.admin().await;
    assert_eq!(value(&client, LEFT).await, "0");
    run(&client, &script).await;
    assert_eq!(value(&client, "select b from u").await, "2");
}

#[tokio::test]
async fn what_would_fail_fails() {
    let database = Database::create("dry").await;
    let project = project();
    project.write("migrations/V3__bad.sql", "alter table gone add column x int");
    let url = database.url();
    let error = failure(
        &project.path(""),
        &["migrate", "--dry-run", "--database-url", &url],
    );
    assert!(
        error.contains("nothing was applied: failed to run migrations/V3__bad.sql"),
        "{error}"
    );
    assert_eq!(value(&database.admin().await, LEFT).await, "0");
}

#[tokio::test]
async fn files_outside_a_transaction_are_left_out_and_named() {
    let database = Database::create("dry").await;
    let mut client = database.admin().await;
    let project = project();
    project.write(
        "migrations/V3__index.sql",
        "-- rls-tool: no-transaction\ncreate index concurrently t_a on t (a);",
    );
    project.write("migrations/V4__v.sql", "create table v ();");
    let report = project.migrator().dry_run(true).run(&mut client).await.unwrap();
    assert_eq!(names(&report), ["V1__t.sql", "V2__u.sql", "V4__v.sql", "t.sql"]);
    assert!(report.skipped[0].file.ends_with("V3__index.sql"));
    assert_eq!(value(&client, LEFT).await, "0");
}

/// Policies that drifted stay as they are, and what would put them right is shown.
#[tokio::test]
async fn drift_is_shown_and_not_mended() {
    let database = Database::create("dry").await;
    let mut client = database.admin().await;
    let project = project();
    project.run(&mut client).await;
    run(&client, "create policy hole on t using (true)").await;
    let report = project.migrator().dry_run(true).run(&mut client).await.unwrap();
    assert!(
        report.policies[0]
            .sql
            .contains("drop policy \"hole\" on \"public\".\"t\";"),
        "{report:?}"
    );
    assert_eq!(project.status(&mut client).await.drift().count(), 1);
}
