//! The migrator need not be superuser; roles that exist already are used if they are safe and refused if not; ten
//! databases of one cluster can be migrated at once. On servers of their own: roles belong to the whole cluster.

use std::error::Error as _;

use futures_util::future::join_all;
use rls_tool::connect::ConnectOptions;
use rls_tool::ephemeral::Server;
use rls_tool::migrate::{MigrationReport, Migrator};
use rls_tool::{Error, Result, TenantId, UserId};
use tokio_postgres::Client;

use crate::support::{connect, run};

/// `rls-tool migrate` with the built-in files: `migrations/` and `policies/`.
async fn migrate(client: &mut Client) -> Result<MigrationReport> {
    Migrator::reference().unwrap().run(client).await
}

async fn server() -> Server {
    let version = std::env::var("RLS_TEST_PG_VERSION")
        .ok()
        .map(|text| text.parse().unwrap());
    Server::builder()
        .version(version)
        .start()
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// A database in which `role` may create things, as docs/schema.md prepares it; the client is `role`'s.
async fn database(server: &Server, name: &str, role: &str) -> (ConnectOptions, Client) {
    run(
        &connect(&server.options()).await,
        &format!("create database {name}"),
    )
    .await;
    let options = server.options().with_database(name);
    let prepare = format!("grant create on database {name} to {role}; create schema authorization {role}");
    run(&connect(&options).await, &prepare).await;
    let client = connect(&options.as_role(role, None)).await;
    (options, client)
}

fn text(error: &Error) -> String {
    let hint = error.as_postgres().and_then(|error| error.as_db_error()?.hint());
    format!("{} / {}", error.chain(), hint.unwrap_or_default())
}

#[tokio::test]
async fn a_migrator_without_superuser_suffices() {
    let server = server().await;
    let admin = connect(&server.options()).await;
    run(
        &admin,
        "create role deploy login createrole; create role other_deploy login createrole",
    )
    .await;
    let (options, mut deploy) = database(&server, "one", "deploy").await;
    migrate(&mut deploy)
        .await
        .unwrap_or_else(|e| panic!("{}", text(&e)));
    assert!(
        migrate(&mut deploy).await.unwrap().is_empty(),
        "nothing is left to do"
    );

    let app = connect(&options.as_role("app_user", None)).await;
    for tenant in [TenantId::generate(), TenantId::generate()] {
        let sql = format!(
            "begin; set local app.current_tenant = '{tenant}';
             insert into app.tenants (id, name, slug) values ('{tenant}', 'x', '{}');
             insert into app.users (id, email) values ('{}', 'x@example.com')",
            tenant.uuid(),
            UserId::generate()
        );
        run(&app, &sql).await;
        let seen: i64 = app
            .query_one("select count(*) from app.users", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(seen, 1, "its own, not the other's");
        run(&app, "commit").await;
    }

    // It acts as the two roles that own things, and nobody else does.
    let sql = "select r.rolname || ' < ' || m.rolname from pg_auth_members a
               join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
               where r.rolname in ('app_owner', 'app_lookup') or m.rolname like 'app\\_%' group by 1 order by 1";
    let members: Vec<String> = admin
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(members, ["app_lookup < deploy", "app_owner < deploy"]);
    let owners =
        "select distinct relowner::regrole::text from pg_class where relnamespace = 'app'::regnamespace
                  union select distinct nspowner::regrole::text from pg_namespace where nspname = 'app'";
    let admin_one = connect(&options).await;
    let rows = admin_one.query(owners, &[]).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(),
        ["app_owner"]
    );

    // A second database finds the roles, and so does the superuser in a third.
    let (_, mut deploy) = database(&server, "two", "deploy").await;
    migrate(&mut deploy)
        .await
        .unwrap_or_else(|e| panic!("{}", text(&e)));
    let (options, _) = database(&server, "three", "deploy").await;
    migrate(&mut connect(&options).await).await.unwrap();

    // Nowhere to keep the history: told so, and how to go on. Until PostgreSQL 14 `public` is open to everybody.
    let (options, mut homeless) = database(&server, "homeless", "deploy").await;
    run(&connect(&options).await, "drop schema deploy").await;
    let result = migrate(&mut homeless).await;
    if server.version() >= 15 {
        let error = result.unwrap_err();
        let help = error
            .source()
            .and_then(|cause| cause.downcast_ref::<Error>()?.help());
        let message = format!("{} / {}", text(&error), help.unwrap_or_default());
        for part in [
            "nothing was applied: failed to write the history public.refinery_schema_history",
            "permission denied for schema public",
            "create schema authorization",
        ] {
            assert!(message.contains(part), "{message}");
        }
    } else {
        result.unwrap();
    }

    // Another migrator did not create the roles: from 16 on it must be given them, and is told how.
    let (_, mut other) = database(&server, "four", "other_deploy").await;
    let result = migrate(&mut other).await;
    if server.version() >= 16 {
        let message = text(&result.unwrap_err());
        assert!(
            message.contains("role app_owner exists, and other_deploy may not act as it"),
            "{message}"
        );
        assert!(
            message.contains("GRANT app_owner, app_lookup TO other_deploy"),
            "{message}"
        );
        run(&admin, "grant app_owner, app_lookup to other_deploy").await;
        migrate(&mut other).await.unwrap();
    } else {
        result.unwrap_or_else(|e| panic!("{}", text(&e)));
    }
}

#[tokio::test]
async fn ten_databases_are_migrated_at_once() {
    let server = server().await;
    let admin = connect(&server.options()).await;
    run(&admin, "create role deploy login createrole").await;
    let mut clients = Vec::new();
    for n in 0..10 {
        clients.push(database(&server, &format!("db{n}"), "deploy").await.1);
    }
    for result in join_all(clients.iter_mut().map(migrate)).await {
        result.unwrap_or_else(|error| panic!("{}", text(&error)));
    }
}

/// What somebody may have made of a role before we came, what is said about it, and how it is undone.
const UNSAFE: &[(&str, &str, &str)] = &[
    (
        "alter role app_user superuser",
        "role app_user is a superuser",
        "alter role app_user nosuperuser",
    ),
    (
        "alter role app_user bypassrls",
        "role app_user has BYPASSRLS",
        "alter role app_user nobypassrls",
    ),
    (
        "alter role app_user createrole",
        "role app_user has CREATEROLE",
        "alter role app_user nocreaterole",
    ),
    (
        "alter role app_user replication",
        "role app_user has REPLICATION",
        "alter role app_user noreplication",
    ),
    (
        "alter role app_owner login",
        "role app_owner can log in",
        "alter role app_owner nologin",
    ),
    (
        "alter role app_lookup bypassrls",
        "role app_lookup has BYPASSRLS",
        "alter role app_lookup nobypassrls",
    ),
    (
        "alter role app_maintenance superuser",
        "role app_maintenance is a superuser",
        "alter role app_maintenance nosuperuser",
    ),
    (
        "grant app_owner to app_user",
        "role app_user is a member of app_owner",
        "revoke app_owner from app_user",
    ),
    (
        "grant app_lookup to app_user",
        "role app_user is a member of app_lookup",
        "revoke app_lookup from app_user",
    ),
    (
        "create role middle; grant app_owner to middle; grant middle to app_user",
        "role app_user is a member of app_owner",
        "drop role middle",
    ),
    (
        "create role strong bypassrls; grant strong to app_user",
        "role app_user is a member of strong",
        "drop role strong",
    ),
    (
        "grant pg_read_all_data to app_user",
        "role app_user is a member of pg_read_all_data",
        "revoke pg_read_all_data from app_user",
    ),
    (
        "alter role app_user set app.current_tenant = 'ten_x'",
        "pins app.current_tenant=ten_x",
        "alter role app_user reset app.current_tenant",
    ),
    (
        "alter database target set app.current_tenant = 'ten_x'",
        "pins app.current_tenant=ten_x",
        "alter database target reset app.current_tenant",
    ),
    (
        "alter database target owner to app_user",
        "app_user owns",
        "alter database target owner to postgres",
    ),
];

#[tokio::test]
async fn a_role_that_would_escape_is_refused() {
    let server = server().await;
    let admin = connect(&server.options()).await;
    run(&admin, "create role deploy login createrole").await;
    migrate(&mut database(&server, "first", "deploy").await.1)
        .await
        .unwrap();
    let (_, mut deploy) = database(&server, "target", "deploy").await;
    for (sabotage, message, undo) in UNSAFE {
        run(&admin, sabotage).await;
        let result = migrate(&mut deploy).await;
        run(&admin, undo).await;
        let found = text(&result.expect_err(sabotage));
        assert!(found.contains(message), "{sabotage}: {found}");
        let left = "select count(*) from pg_namespace where nspname = 'app'";
        assert_eq!(
            deploy.query_one(left, &[]).await.unwrap().get::<_, i64>(0),
            0,
            "{sabotage}: nothing was made"
        );
    }
    // The twin: with all of it undone, the same migrator in the same database succeeds.
    migrate(&mut deploy)
        .await
        .unwrap_or_else(|error| panic!("{}", text(&error)));
}
