//! Policies as wanted state: a changed file is applied again, and what was changed by hand is shown and put back.

use tokio_postgres::Client;

use crate::project::{Project, exists, names, value};
use crate::support::{Database, run};
use crate::tool::tool;

const FILE: &str = "alter table orders enable row level security, force row level security;\n\
                    create policy tenant on orders using (tenant = current_setting('t', true));\n";

/// Two tables, one with a policies file.
fn project() -> Project {
    Project::new(&[
        (
            "migrations/V1__orders.sql",
            "create table orders (tenant text); create table notes (tenant text);",
        ),
        ("policies/orders.sql", FILE),
    ])
}

async fn policies(client: &Client) -> String {
    value(
        client,
        "select coalesce(string_agg(polname, ',' order by polname), '') from pg_policy",
    )
    .await
}

async fn history(client: &Client) -> String {
    value(
        client,
        "select string_agg(version || ':' || name, ',' order by version) from rls_tool_policy_history",
    )
    .await
}

#[tokio::test]
async fn a_changed_file_is_applied_again_as_the_next_version() {
    let database = Database::create("policies").await;
    let (project, mut client) = (project(), database.admin().await);
    let first = project.run(&mut client).await;
    assert_eq!(first.policies[0].reason.as_deref(), Some("new"));
    assert!(project.run(&mut client).await.is_empty());

    // The file does not drop the policy that it no longer says: that is rls-tool's part.
    project.write(
        "policies/orders.sql",
        FILE.replace("create policy tenant", "create policy renamed"),
    );
    let report = project.run(&mut client).await;
    assert_eq!(report.policies[0].reason.as_deref(), Some("changed"));
    assert_eq!(report.policies[0].version, 2);
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(policies(&client).await, "renamed");
    assert_eq!(history(&client).await, "1:orders,2:orders");

    project.write(
        "policies/notes.sql",
        "alter table notes enable row level security;",
    );
    project.run(&mut client).await;
    assert_eq!(history(&client).await, "1:orders,2:orders,3:notes");
    assert!(project.run(&mut client).await.is_empty());
}

/// The twin of the test above: with Refinery alone, a policies file is a migration like any other, and a change of it is
/// an error or unseen.
#[tokio::test]
async fn refinery_alone_has_no_wanted_state() {
    let database = Database::create("policies").await;
    let mut client = database.admin().await;
    let file = |sql: &str| [refinery_core::Migration::unapplied("V1__orders", sql).unwrap()];
    run(&client, "create table orders (tenant text)").await;
    let first = file(FILE);
    refinery_core::Runner::new(&first)
        .run_async(&mut client)
        .await
        .unwrap();
    run(&client, "create policy hole on orders using (true)").await;
    let again = refinery_core::Runner::new(&first)
        .run_async(&mut client)
        .await
        .unwrap();
    assert!(again.applied_migrations().is_empty());
    assert_eq!(policies(&client).await, "hole,tenant");
    let changed = file(&FILE.replace("tenant on", "renamed on"));
    assert!(
        refinery_core::Runner::new(&changed)
            .run_async(&mut client)
            .await
            .is_err()
    );
}

/// What somebody did to the live table, and what `migrate status` says about it.
const BY_HAND: &[(&str, &str)] = &[
    (
        "create policy hole on orders using (true)",
        "policy \"hole\" of public.orders was added by hand",
    ),
    (
        "drop policy tenant on orders",
        "policy \"tenant\" of public.orders was dropped",
    ),
    (
        "alter policy tenant on orders using (true)",
        "policy \"tenant\" of public.orders has another USING expression, true instead of ",
    ),
    (
        "alter policy tenant on orders with check (true)",
        "policy \"tenant\" of public.orders has another WITH CHECK expression, true instead of none",
    ),
    (
        "alter policy tenant on orders to pg_monitor",
        "has other roles, pg_monitor instead of public",
    ),
    (
        "alter policy tenant on orders rename to other",
        "policy \"tenant\" of public.orders was dropped",
    ),
    (
        "drop policy tenant on orders; create policy tenant on orders for select using (tenant = current_setting('t', true))",
        "has another command, SELECT instead of ALL",
    ),
    (
        "drop policy tenant on orders; create policy tenant on orders as restrictive using (tenant = current_setting('t', true))",
        "has another kind, RESTRICTIVE instead of PERMISSIVE",
    ),
    (
        "alter table orders disable row level security",
        "public.orders: row security was disabled",
    ),
    (
        "alter table orders no force row level security",
        "public.orders: FORCE ROW LEVEL SECURITY was removed",
    ),
];

#[tokio::test]
async fn drift_is_shown_and_put_back() {
    let database = Database::create("policies").await;
    let (project, mut client) = (project(), database.admin().await);
    project.run(&mut client).await;
    let state = "select string_agg(concat_ws(' ', polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid),
                 pg_get_expr(polwithcheck, polrelid)), ';') || (select concat(relrowsecurity, relforcerowsecurity)
                 from pg_class where oid = 'orders'::regclass) from pg_policy";
    let wanted = value(&client, state).await;
    for (by_hand, said) in BY_HAND {
        // The twin: as applied, there is no drift and nothing to do.
        assert_eq!(project.status(&mut client).await.drift().count(), 0, "{by_hand}");
        run(&client, by_hand).await;
        let status = project.status(&mut client).await;
        let drift: Vec<_> = status.drift().map(ToString::to_string).collect();
        assert!(drift.iter().any(|drift| drift.contains(said)), "{drift:?}");
        let report = project.run(&mut client).await;
        let reason = report.policies[0].reason.clone().unwrap();
        assert!(
            reason.starts_with("put right: ") && reason.contains(said),
            "{reason}"
        );
        assert_eq!(value(&client, state).await, wanted, "{by_hand}");
    }
}

/// Drift of a table without its own file is nobody's, and said all the same.
#[tokio::test]
async fn policies_that_no_file_says_are_named_and_left_alone() {
    let database = Database::create("policies").await;
    let (project, mut client) = (project(), database.admin().await);
    project.run(&mut client).await;
    run(&client, "create policy stray on notes using (true)").await;
    assert_eq!(project.status(&mut client).await.undeclared, ["public.notes"]);
    assert!(project.run(&mut client).await.is_empty());
    assert_eq!(policies(&client).await, "stray,tenant");
    // Its first file takes the table over, and says what it drops.
    project.write(
        "policies/notes.sql",
        "alter table notes enable row level security;",
    );
    let report = project.run(&mut client).await;
    assert!(
        report.warnings[0].contains("policy \"stray\" of public.notes was dropped"),
        "{report:?}"
    );
    assert_eq!(policies(&client).await, "tenant");
}

#[tokio::test]
async fn a_missing_file_never_opens_its_table() {
    let database = Database::create("policies").await;
    let (project, mut client) = (project(), database.admin().await);
    project.run(&mut client).await;
    project.remove("policies/orders.sql");
    project.write(
        "policies/notes.sql",
        "alter table notes enable row level security;",
    );
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("the policies file orders.sql was applied to public.orders and is missing"),
        "{error}"
    );
    assert!(
        error.contains("alter table public.orders disable row level security;"),
        "{error}"
    );
    assert!(project.status(&mut client).await.refusal.is_some());
    assert_eq!(policies(&client).await, "tenant");

    // A table that is to be open says so; then, or with the table gone, the file may go.
    let open = "alter table orders no force row level security, disable row level security;";
    project.write("policies/orders.sql", open);
    project.run(&mut client).await;
    assert_eq!(policies(&client).await, "");
    project.remove("policies/orders.sql");
    assert!(project.run(&mut client).await.is_empty());
}

#[tokio::test]
async fn a_file_that_does_not_do_its_job_is_refused_and_changes_nothing() {
    let database = Database::create("policies").await;
    let (project, mut client) = (project(), database.admin().await);
    project.run(&mut client).await;
    for (name, sql, said) in [
        (
            "notes",
            "create policy p on notes using (true);",
            "public.notes has policies but row security is off",
        ),
        (
            "notes",
            "alter table notes enable row level security; create policy hole on orders using (true);",
            "a policies file changed the policies of public.orders",
        ),
        (
            "nowhere",
            "select 1",
            "nowhere.sql: there is no table \"nowhere\"",
        ),
        (
            "notes",
            "drop table notes",
            "public.notes is gone after the file ran",
        ),
        (
            "note",
            "-- rls-tool: table public.notes extra\nselect 1",
            "is no table name",
        ),
        (
            "note",
            "-- rls-tool: table orders\nselect 1",
            "are both for table public.orders",
        ),
        (
            "notes",
            "-- rls-tool: no-transaction\nselect 1",
            "\"no-transaction\" is unknown here",
        ),
    ] {
        let path = format!("policies/{name}.sql");
        project.write(&path, sql);
        let error = project.refused(&mut client).await;
        assert!(error.contains(said), "{said}\n{error}");
        assert_eq!(policies(&client).await, "tenant", "{said}");
        project.remove(&path);
    }
    assert!(exists(&client, "notes").await);
    // The twin: by hand, the server takes each without a word.
    run(
        &client,
        "create policy p on notes using (true); drop policy p on notes",
    )
    .await;
}

#[tokio::test]
async fn a_table_name_that_two_schemas_have_must_be_said_in_full() {
    let database = Database::create("policies").await;
    let mut client = database.admin().await;
    let project = Project::new(&[
        (
            "migrations/V1__two.sql",
            "create schema a; create schema b; create table a.t (); create table b.t (); create table a.\"Odd name\" ()",
        ),
        (
            "policies/t.sql",
            "set search_path = a; alter table t enable row level security;",
        ),
        (
            "policies/odd.sql",
            "-- rls-tool: table a.\"Odd name\"\nalter table a.\"Odd name\" enable row level security;",
        ),
    ]);
    let error = project.refused(&mut client).await;
    assert!(
        error.contains("several tables are called \"t\": a.t, b.t")
            && error.contains("-- rls-tool: table a.t"),
        "{error}"
    );
    project.write("policies/t.sql", "alter table b.t enable row level security;");
    project.run(&mut client).await;
    let enabled =
        "select string_agg(oid::regclass::text, ',' order by oid) from pg_class where relrowsecurity";
    assert_eq!(value(&client, enabled).await, "b.t,a.\"Odd name\"");
}

/// A partition has its own policies, for those who query it directly: its parent's file may say them.
#[tokio::test]
async fn partitions_belong_to_their_parents_file() {
    let database = Database::create("policies").await;
    let mut client = database.admin().await;
    let project = Project::new(&[
        (
            "migrations/V1__p.sql",
            "create table p (a int) partition by list (a); create table p1 partition of p for values in (1);",
        ),
        (
            "policies/p.sql",
            "alter table p enable row level security; alter table p1 enable row level security;
             create policy q on p using (true); create policy q on p1 using (true);",
        ),
    ]);
    assert_eq!(names(&project.run(&mut client).await), ["V1__p.sql", "p.sql"]);
    run(&client, "alter table p1 disable row level security").await;
    let status = project.status(&mut client).await;
    assert_eq!(
        status.drift().next().unwrap().to_string(),
        "public.p1: row security was disabled"
    );
    project.run(&mut client).await;
    assert_eq!(project.status(&mut client).await.drift().count(), 0);
    // A partition that goes, and one that comes, are no drift.
    run(
        &client,
        "drop table p1; create table p2 partition of p for values in (2)",
    )
    .await;
    assert_eq!(project.status(&mut client).await.drift().count(), 0);
}

#[tokio::test]
async fn the_program_says_why_each_file_ran() {
    let database = Database::create("policies").await;
    let (project, url) = (project(), database.url());
    let arguments = ["migrate", "--database-url", &url];
    let (_, out, _) = tool(&project.path(""), &arguments);
    assert!(out.contains("applied policies/orders.sql (new)\n"), "{out}");
    run(
        &database.admin().await,
        "alter table orders disable row level security",
    )
    .await;
    let (code, out, _) = tool(&project.path(""), &arguments);
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "applied policies/orders.sql (put right: public.orders: row security was disabled)\n\
         0 migrations, 1 policy files\n"
    );
}
