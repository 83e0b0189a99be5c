//! Who migrates: a role that is no superuser, on a managed server, with an owner beside it; and what a file does to its
//! session.

use rls_tool::ErrorKind;

use crate::project::{Project, exists, names, value, versions};
use crate::support::{Database, run};
use crate::tool::{failure, tool};

/// A login that may create things in schema public and is a member of a NOLOGIN owner; neither is superuser.
async fn database() -> Database {
    let database = Database::create("roles").await;
    let admin = database.admin().await;
    for (role, with) in [("roles_deploy", "login"), ("roles_owner", "nologin")] {
        run(
            &admin,
            &format!(
                "do $$ begin create role {role} {with} nosuperuser;
                 exception when duplicate_object or unique_violation then null; end $$"
            ),
        )
        .await;
    }
    run(
        &admin,
        "grant roles_owner to roles_deploy;
         revoke create on schema public from public;
         grant create on schema public to roles_deploy, roles_owner",
    )
    .await;
    database
}

fn project() -> Project {
    Project::new(&[
        (
            "migrations/V1__orders.sql",
            "set local role roles_owner;\ncreate table orders (tenant text);",
        ),
        (
            "migrations/V2__index.sql",
            "-- rls-tool: no-transaction\nset role roles_owner;\ncreate index concurrently orders_tenant on orders (tenant);",
        ),
        ("migrations/V3__mine.sql", "create table mine ();"),
        (
            "policies/orders.sql",
            "set local role roles_owner;
             alter table orders enable row level security, force row level security;
             create policy p on orders using (false);",
        ),
    ])
}

#[tokio::test]
async fn a_role_without_superuser_migrates_a_folder_of_its_own() {
    let database = database().await;
    let (project, admin) = (project(), database.admin().await);
    let url = database.url_as("roles_deploy");
    let (code, out, err) = tool(&project.path(""), &["migrate", "--database-url", &url]);
    assert_eq!(code, 0, "{err}");
    assert!(out.ends_with("3 migrations, 1 policy files\n"), "{out}");
    let owners = "select string_agg(relname || ' ' || relowner::regrole, ', ' order by relname) from pg_class
                  where relnamespace = 'public'::regnamespace and relkind = 'r'";
    assert_eq!(
        value(&admin, owners).await,
        "mine roles_deploy, orders roles_owner, refinery_schema_history roles_deploy, \
         rls_tool_policy_history roles_deploy"
    );
    // Drift is put right as the owner, whether or not the migrator inherits from it.
    for grant in [
        "alter role roles_deploy noinherit",
        "alter role roles_deploy inherit",
    ] {
        run(&admin, grant).await;
        run(
            &admin,
            "alter policy p on orders using (true); alter table orders no force row level security",
        )
        .await;
        let mut client = database.client_as("roles_deploy").await;
        assert_eq!(project.status(&mut client).await.drift().count(), 2, "{grant}");
        assert_eq!(names(&project.run(&mut client).await), ["orders.sql"], "{grant}");
        assert_eq!(project.status(&mut client).await.drift().count(), 0, "{grant}");
    }
}

#[tokio::test]
async fn a_missing_privilege_is_named_with_the_way_out_and_nothing_stays() {
    let database = database().await;
    let (project, admin) = (project(), database.admin().await);
    let url = database.url_as("roles_deploy");
    let run_it = || failure(&project.path(""), &["migrate", "--database-url", &url]);

    run(
        &admin,
        "revoke create on schema public from roles_deploy, roles_owner",
    )
    .await;
    let error = run_it();
    assert!(
        error.contains("permission denied for schema public")
            && error.contains("needs CREATE on that schema"),
        "{error}"
    );
    assert!(!exists(&admin, "orders").await && versions(&admin).await.is_empty());
    run(
        &admin,
        "grant create on schema public to roles_deploy, roles_owner",
    )
    .await;
    run(&admin, "create table other (a int)").await;
    project.write("migrations/V4__other.sql", "alter table other add column b int;");
    let error = run_it();
    assert!(
        error.contains("must be owner of table other") && error.contains("set local role"),
        "{error}"
    );
    // The file outside a transaction was in between: what came before it stays, and is said.
    assert!(
        error.contains("applied and committed: migrations/V1__orders.sql"),
        "{error}"
    );
    assert!(
        error.contains("not applied: migrations/V3__mine.sql, migrations/V4__other.sql"),
        "{error}"
    );
    assert_eq!(versions(&admin).await, "1,2");
    run(&admin, "alter table other owner to roles_deploy").await;
    let mut client = database.client_as("roles_deploy").await;
    assert_eq!(
        names(&project.run(&mut client).await),
        ["V3__mine.sql", "V4__other.sql"]
    );
}

#[tokio::test]
async fn a_history_of_another_role_is_not_readable_and_says_so() {
    let database = database().await;
    let project = project();
    let mut admin = database.admin().await;
    project.run(&mut admin).await;
    let mut client = database.client_as("roles_deploy").await;
    let error = project.try_run(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(
        error.chain().contains("refinery_schema_history")
            && error
                .help()
                .unwrap()
                .contains("the role that has migrated this database before"),
        "{}",
        error.chain()
    );
    let error = project.migrator().status(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
}

/// What one file does to the session must not reach the next, the history, or the caller.
#[tokio::test]
async fn a_file_leaves_no_trace_in_the_session() {
    let database = database().await;
    let mut client = database.client_as("roles_deploy").await;
    let traces = "create table trace_N as select current_user::text as who, current_setting('search_path') as path,
                  coalesce(current_setting('app.tenant', true), '') as tenant, current_setting('work_mem') as memory;
                  grant select on trace_N to public;";
    let leaves = "select pg_catalog.set_config('search_path', '', false);
                  set app.tenant = 'a'; set work_mem = '1MB'; set role roles_owner; set row_security = off;";
    let project = Project::new(&[
        (
            "migrations/V1__first.sql",
            &format!("{}{leaves}", traces.replace('N', "1")),
        ),
        (
            "migrations/V2__second.sql",
            &format!("{}{leaves}", traces.replace('N', "2")),
        ),
        (
            "migrations/V3__outside.sql",
            &format!(
                "-- rls-tool: no-transaction\n{}{leaves}",
                traces.replace('N', "3")
            ),
        ),
        ("migrations/V4__last.sql", &traces.replace('N', "4")),
        (
            "policies/trace_4.sql",
            &format!("alter table trace_4 enable row level security;{leaves}"),
        ),
    ]);
    // The caller's own settings hold for each file, but no file runs bound to a tenant that the caller had bound.
    run(&client, "set work_mem = '7MB'; set app.tenant = 'mine'").await;
    project.run(&mut client).await;
    for n in 1..=4 {
        let sql = format!("select concat_ws('|', who, path, tenant, memory) from trace_{n}");
        assert_eq!(
            value(&database.admin().await, &sql).await,
            "roles_deploy|\"$user\", public||7MB",
            "trace {n}"
        );
    }
    let own = "concat_ws('|', current_user, current_setting('search_path'), current_setting('app.tenant'),
               current_setting('work_mem'), current_setting('row_security'))";
    assert_eq!(
        value(&client, own).await,
        "roles_deploy|\"$user\", public||7MB|on"
    );
    // The twin: the same files, sent one behind the other, see what those before them have left.
    run(&client, leaves).await;
    assert_eq!(value(&client, own).await, "roles_owner||a|1MB|off");
}

/// A role's defaults do not stop a run.
#[tokio::test]
async fn a_caller_that_is_read_only_or_serializable_or_acts_as_the_owner_migrates() {
    let database = database().await;
    let mut client = database.client_as("roles_deploy").await;
    run(
        &client,
        "set default_transaction_read_only = on; set default_transaction_isolation = 'serializable'; set role roles_owner",
    )
    .await;
    let project = Project::new(&[
        ("migrations/V1__a.sql", "create table a ();"),
        ("migrations/V2__b.sql", "set local role none; create table b ();"),
        ("migrations/V3__c.sql", "create table c ();"),
    ]);
    project.run(&mut client).await;
    let owners = "select string_agg(relowner::regrole::text, ',' order by relname) from pg_class
                  where relname in ('a', 'b', 'c')";
    assert_eq!(
        value(&client, owners).await,
        "roles_owner,roles_deploy,roles_owner"
    );
    assert_eq!(
        value(
            &client,
            "concat(current_user, current_setting('default_transaction_read_only'))"
        )
        .await,
        "roles_owneron"
    );
}

/// A hand-written file may name what it changes by a name that a temporary or `search_path` object shadows; rls-tool's own
/// statements never do.
#[tokio::test]
async fn a_table_of_the_historys_name_elsewhere_is_not_taken_for_it() {
    let database = Database::create("roles").await;
    let mut client = database.admin().await;
    run(
        &client,
        "create temp table refinery_schema_history (a int); create schema x; create table x.refinery_schema_history (a int)",
    )
    .await;
    let project = Project::new(&[("migrations/V1__a.sql", "create table a ();")]);
    project.run(&mut client).await;
    assert!(exists(&client, "public.refinery_schema_history").await);
    assert!(project.run(&mut client).await.is_empty());
}
