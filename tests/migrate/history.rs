//! A history that does not fit the files, one that Refinery itself has written, and how far a run goes.

use refinery_core::{Migration, Runner};

use crate::project::{Project, exists, names, text, value, versions};
use crate::support::{Database, run};
use crate::tool::{failure, tool};

fn three() -> Project {
    Project::new(&[
        ("migrations/V1__a.sql", "create table a ();"),
        ("migrations/V2__b.sql", "create table b ();"),
        ("migrations/V4__d.sql", "create table d ();"),
    ])
}

#[tokio::test]
async fn what_no_longer_fits_is_refused_by_name_and_applies_nothing() {
    let database = Database::create("history").await;
    let (project, mut client) = (three(), database.admin().await);
    project.run(&mut client).await;
    project.write("migrations/V5__e.sql", "create table e ();");

    project.write("migrations/V2__b.sql", "create table b (id int);");
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("V2__b.sql was changed after it was applied on 20"),
        "{error}"
    );
    assert!(error.contains("goes into a new file"), "{error}");

    project.remove("migrations/V2__b.sql");
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("V2__b was applied on 20") && error.contains("file is missing"),
        "{error}"
    );

    project.write("migrations/V2__renamed.sql", "create table b ();");
    let error = project.refused(&mut client).await;
    assert!(error.contains("V2__renamed.sql was applied as V2__b"), "{error}");

    project.remove("migrations/V2__renamed.sql");
    project.write("migrations/V2__b.sql", "create table b ();");
    project.write("migrations/V3__late.sql", "create table late ();");
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("V3__late.sql has a lower version than the last applied one, 4"),
        "{error}"
    );
    assert!(!exists(&client, "e").await && !exists(&client, "late").await);

    // The twin: put back as it was, the pending file is applied.
    project.remove("migrations/V3__late.sql");
    assert_eq!(names(&project.run(&mut client).await), ["V5__e.sql"]);
    assert_eq!(versions(&client).await, "1,2,4,5");
}

#[tokio::test]
async fn a_history_changed_by_hand_is_no_panic() {
    let database = Database::create("history").await;
    let (project, mut client) = (three(), database.admin().await);
    project.run(&mut client).await;
    run(
        &client,
        "create table good as select checksum from refinery_schema_history where version = 2",
    )
    .await;
    for (damage, said) in [
        ("checksum = 'abc'", "the checksum of version 2 is no number"),
        ("checksum = null", "NULL"),
        ("applied_on = 'yesterday'", "not RFC 3339"),
        ("version = -2", "V-2__b was applied"),
    ] {
        run(
            &client,
            &format!("update refinery_schema_history set {damage} where version = 2"),
        )
        .await;
        project.write("migrations/V5__e.sql", "create table e ();");
        let error = project.refused(&mut client).await;
        assert!(error.contains(said), "{damage}: {error}");
        run(
            &client,
            "update refinery_schema_history set version = 2, applied_on = '2026-01-31T12:00:00Z',
             checksum = (select checksum from good) where version in (2, -2)",
        )
        .await;
    }
    // The twin: put back as it was, the pending file is applied.
    assert_eq!(names(&project.run(&mut client).await), ["V5__e.sql"]);
}

#[tokio::test]
async fn a_target_stops_there_and_policies_wait_for_their_tables() {
    let database = Database::create("history").await;
    let (project, mut client) = (three(), database.admin().await);
    for table in ["a", "d"] {
        project.write(
            &format!("policies/{table}.sql"),
            format!("alter table {table} enable row level security;"),
        );
    }
    let report = project.migrator().target(2).run(&mut client).await.unwrap();
    assert_eq!(names(&report), ["V1__a.sql", "V2__b.sql", "a.sql"]);
    assert!(report.skipped[0].file.ends_with("policies/d.sql"));
    assert_eq!(versions(&client).await, "1,2");

    for (target, said) in [
        (1, "already, past the target 1"),
        (3, "no migration with version 3"),
        (99, "no migration with version 99"),
        (-1, "no migration with version -1"),
    ] {
        let error = project
            .migrator()
            .target(target)
            .run(&mut client)
            .await
            .unwrap_err();
        assert!(text(&error).contains(said), "{}", text(&error));
    }
    assert!(
        project
            .migrator()
            .target(2)
            .run(&mut client)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(names(&project.run(&mut client).await), ["V4__d.sql", "d.sql"]);
}

#[tokio::test]
async fn the_program_takes_a_target() {
    let database = Database::create("history").await;
    let (project, url) = (three(), database.url());
    let base = ["migrate", "--database-url", &url, "--target"];
    let (code, out, _) = tool(&project.path(""), &[&base[..], &["2"]].concat());
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "applied migrations/V1__a.sql\napplied migrations/V2__b.sql\n2 migrations, 0 policy files\n"
    );
    for bad in ["1", "3", "two", "99999999999999999999"] {
        failure(&project.path(""), &[&base[..], &[bad]].concat());
    }
    assert_eq!(versions(&database.admin().await).await, "1,2");
}

/// A project that used Refinery before goes on with its own history, and could go back.
#[tokio::test]
async fn refinerys_own_history_is_continued() {
    let database = Database::create("history").await;
    let (project, mut client) = (three(), database.admin().await);
    let files = |names: &[(&str, &str)]| -> Vec<Migration> {
        names
            .iter()
            .map(|(name, sql)| Migration::unapplied(name, sql).unwrap())
            .collect()
    };
    let first = files(&[("V1__a", "create table a ();"), ("V2__b", "create table b ();")]);
    Runner::new(&first).run_async(&mut client).await.unwrap();

    let status = project.status(&mut client).await;
    assert_eq!(
        (status.version, status.pending(), &status.refusal),
        (Some(2), 1, &None)
    );
    assert_eq!(names(&project.run(&mut client).await), ["V4__d.sql"]);
    assert_eq!(versions(&client).await, "1,2,4");

    // And back again.
    let all = files(&[
        ("V1__a", "create table a ();"),
        ("V2__b", "create table b ();"),
        ("V4__d", "create table d ();"),
        ("V5__e", "create table e ();"),
    ]);
    let report = Runner::new(&all).run_async(&mut client).await.unwrap();
    assert_eq!(report.applied_migrations().len(), 1);
    project.write("migrations/V5__e.sql", "create table e ();");
    assert!(project.run(&mut client).await.is_empty());
}

/// A history that `search_path` hides would otherwise be taken for an empty one, and everything be applied again.
#[tokio::test]
async fn a_history_in_another_schema_is_found_or_refused() {
    let database = Database::create("history").await;
    let (project, mut client) = (three(), database.admin().await);
    run(&client, "create schema ops; set search_path = ops").await;
    project.run(&mut client).await;
    assert!(exists(&client, "ops.refinery_schema_history").await);
    run(&client, "set search_path = public").await;
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("in schema ops") && error.contains("--history-schema ops"),
        "{error}"
    );
    assert!(!exists(&client, "public.a").await);
    let migrator = project.migrator().history_schema("ops".to_owned());
    assert!(migrator.run(&mut client).await.unwrap().is_empty());
    assert_eq!(
        value(&client, "current_setting('search_path')").await,
        "public",
        "the client's own again"
    );
    let (code, out, err) = tool(
        &project.path(""),
        &[
            "migrate",
            "--database-url",
            &database.url(),
            "--history-schema",
            "ops",
        ],
    );
    assert_eq!((code, out.as_str()), (0, "nothing to do\n"), "{err}");
}
