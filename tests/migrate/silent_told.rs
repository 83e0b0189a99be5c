//! How a data migration that row security turned into nothing is told: by the program, and by a server that does not count.

use crate::silent::{OWNER, database, project};
use crate::support::run;
use crate::tool::{failure, tool};

/// Without its counters the server cannot tell what a file changed.
#[tokio::test]
async fn a_server_that_does_not_count_is_said() {
    let database = database().await;
    let project = project();
    let mut client = database.admin().await;
    run(&client, "set track_counts = off").await;
    let report = project.run(&mut client).await;
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("track_counts is off")),
        "{report:?}"
    );
}

#[tokio::test]
async fn the_program_refuses_and_warns() {
    let database = database().await;
    let (project, url) = (project(), database.url_as(OWNER));
    let arguments = ["migrate", "--database-url", &url];
    project.run(&mut database.client_as(OWNER).await).await;
    project.write("migrations/V2__data.sql", "update orders set total = 0;");
    let error = failure(&project.path(""), &arguments);
    assert!(
        error.contains(
            "error: nothing was applied: migrations/V2__data.sql changed no row of public.orders: "
        ),
        "{error}"
    );
    // A warning goes to stderr, and the run is done.
    project.write(
        "migrations/V2__data.sql",
        "create table later (a int); alter table later enable row level security, force row level security;",
    );
    project.run(&mut database.client_as(OWNER).await).await;
    project.write("migrations/V3__data.sql", "update later set a = 0;");
    let (code, out, err) = tool(&project.path(""), &arguments);
    assert_eq!(code, 0);
    assert!(out.starts_with("applied migrations/V3__data.sql\n"), "{out}");
    assert!(
        err.contains("warning: migrations/V3__data.sql changed no row of public.later"),
        "{err}"
    );
}
