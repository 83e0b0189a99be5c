//! The start-up guard. Each danger is made, seen to work as an attack, refused by name, and mended with the SQL that the
//! error gives; before and after, the same attack fails and the guard has nothing to say.

mod world;

use rls_tool::ErrorKind;
use rls_tool::session::guard::{GuardOptions, check};

use self::world::{READS_ALL, World};
use crate::support::{Database, run};

#[tokio::test]
async fn superusers() {
    let world = World::new("guard_super").await;
    world
        .refuses("alter role {app} superuser", READS_ALL, "it is a superuser")
        .await;
}

#[tokio::test]
async fn bypassrls() {
    let world = World::new("guard_bypass").await;
    world
        .refuses("alter role {app} bypassrls", READS_ALL, "it has BYPASSRLS")
        .await;
}

#[tokio::test]
async fn replication() {
    let world = World::new("guard_repl").await;
    let attack =
        "select slot_name is not null from pg_create_physical_replication_slot('{database}', false, true)";
    world
        .refuses("alter role {app} replication", attack, "REPLICATION")
        .await;
}

#[tokio::test]
async fn roles_to_become() {
    let world = World::new("guard_set").await;
    let attack = format!("set local role {{free}}; {READS_ALL}");
    for attribute in ["superuser", "bypassrls"] {
        let danger = format!("alter role {{free}} {attribute}; grant {{free}} to {{app}}");
        world
            .refuses(&danger, &attack, "it can become \"{database}-free\"")
            .await;
        // Two steps away, by roles that inherit nothing.
        let danger = "alter role {app} noinherit; alter role {team} noinherit; \
                      grant {free} to {team}; grant {team} to {app}";
        world
            .refuses(danger, &attack, "it can become \"{database}-free\"")
            .await;
        run(
            &world.admin,
            &world.fill("revoke {free} from {team}; alter role {free} nosuperuser nobypassrls; alter role {app} inherit"),
        )
        .await;
    }
}

#[tokio::test]
async fn a_membership_that_may_not_set_role_is_none() {
    let world = World::new("guard_noset").await;
    if world.version().await < 16 {
        // SET is an option since 16: up to 15 the statement must not exist, and every membership counts.
        let sql = world.fill("grant {free} to {app} with set false");
        assert!(world.admin.batch_execute(&sql).await.is_err());
        return;
    }
    run(
        &world.admin,
        &world.fill("alter role {free} bypassrls; grant {free} to {app} with set false, inherit true"),
    )
    .await;
    let attack = format!("set local role {{free}}; {READS_ALL}");
    world.is_safe(&attack).await;
    // The twin: the option is what made the difference.
    world
        .refuses("grant {free} to {app} with set true", &attack, "can become")
        .await;
    // Without either option it can still give the role to itself if it administers it.
    let attack = format!("grant {{free}} to {{app}} with set true; set local role {{free}}; {READS_ALL}");
    world
        .refuses(
            "grant {free} to {app} with admin true, set false, inherit false",
            &attack,
            "can become",
        )
        .await;
}

#[tokio::test]
async fn grants_by_several_grantors() {
    let world = World::new("guard_grantors").await;
    let danger = "alter role {free} bypassrls; grant {free} to {app}; grant {free} to {owner} with admin option; \
                  set role {owner}; grant {free} to {app}; reset role";
    let attack = format!("set local role {{free}}; {READS_ALL}");
    world.refuses(danger, &attack, "can become").await;
}

#[tokio::test]
async fn owners() {
    let world = World::new("guard_owner").await;
    let (unforced, disables) = (
        READS_ALL.to_owned(),
        format!("alter table guarded.items disable row level security; {READS_ALL}"),
    );
    world
        .refuses(
            "alter table guarded.items owner to {app}; alter table guarded.items no force row level security",
            &unforced,
            "it owns guarded.items, and",
        )
        .await;
    run(
        &world.admin,
        &world.fill("alter table guarded.items owner to {owner}; drop role \"{database}-app_owner\""),
    )
    .await;
    world
        .refuses(
            "alter table guarded.items owner to {app}",
            &disables,
            "it owns guarded.items",
        )
        .await;
}

#[tokio::test]
async fn members_of_the_owner() {
    let world = World::new("guard_member").await;
    // FORCE holds the owner, who then takes it away; so does whoever merely inherits his privileges.
    let attack = format!("alter table guarded.items no force row level security; {READS_ALL}");
    world
        .refuses(
            "grant {owner} to {app}",
            &attack,
            "it can become \"{database}-owner\"",
        )
        .await;
    if world.version().await >= 16 {
        world
            .refuses(
                "grant {owner} to {app} with set false",
                &attack,
                "it has the privileges of \"{database}-owner\"",
            )
            .await;
    }
}

#[tokio::test]
async fn the_owner_of_the_database() {
    let world = World::new("guard_dba").await;
    let attack = format!("alter table guarded.items disable row level security; {READS_ALL}");
    world
        .refuses(
            "alter table guarded.items owner to pg_database_owner; alter database {database} owner to {app}",
            &attack,
            "it has the privileges of \"pg_database_owner\"",
        )
        .await;
}

#[tokio::test]
async fn owners_of_a_partition() {
    let world = World::new("guard_part").await;
    world
        .refuses(
            "alter table guarded.logs_1 owner to {app}",
            "select count(distinct tenant_id) = 2 from guarded.logs_1",
            "it owns guarded.logs_1",
        )
        .await;
}

#[tokio::test]
async fn owners_of_what_a_policy_calls() {
    let world = World::new("guard_func").await;
    let attack = format!(
        "set local check_function_bodies = off; \
         create or replace function guarded.may_see(tenant text) returns bool language sql as 'select true'; {READS_ALL}"
    );
    world
        .refuses(
            "alter function guarded.may_see(text) owner to {app}; grant create on schema guarded to {app}",
            &attack,
            "it owns guarded.may_see(tenant text), which policies call",
        )
        .await;
}

#[tokio::test]
async fn createrole_up_to_15() {
    let world = World::new("guard_create").await;
    let attack = format!("grant {{free}} to {{app}}; set local role {{free}}; {READS_ALL}");
    if world.version().await >= 16 {
        run(
            &world.admin,
            &world.fill("alter role {free} bypassrls; alter role {app} createrole"),
        )
        .await;
        world.is_safe(&attack).await;
    } else {
        world
            .refuses(
                "alter role {free} bypassrls; alter role {app} createrole",
                &attack,
                "CREATEROLE",
            )
            .await;
        // PostgreSQL's own roles are in reach too.
        let attack = "grant pg_read_server_files to {app}; \
                      create temporary table said(line text); copy said from '/etc/passwd'; select count(*) > 0 from said";
        world
            .refuses("alter role {app} createrole", attack, "CREATEROLE")
            .await;
    }
}

#[tokio::test]
async fn the_servers_files() {
    let world = World::new("guard_files").await;
    world
        .refuses(
            "grant pg_read_server_files to {app}",
            "create temporary table said(line text); copy said from '/etc/passwd'; select count(*) > 0 from said",
            "reaches the server's files",
        )
        .await;
    world
        .refuses(
            "grant pg_execute_server_program to {app}",
            "create temporary table said(line text); copy said from program 'echo yes'; select true from said",
            "reaches the server's files or programs",
        )
        .await;
}

#[tokio::test]
async fn all_data() {
    let world = World::new("guard_data").await;
    world
        .refuses(
            "grant pg_read_all_data to {app}",
            "select count(*) = 2 from guarded.unpoliced",
            "reaches every table",
        )
        .await;
}

#[tokio::test]
async fn pinned_tenants() {
    let world = World::new("guard_pinned").await;
    let attack = "select count(*) = 1 from guarded.items";
    for (danger, says) in [
        ("alter role {app} set {setting} = 'b'", "ALTER ROLE"),
        (
            "alter role {app} in database {database} set {setting} = 'b'",
            "ALTER ROLE",
        ),
        ("alter database {database} set {setting} = 'b'", "ALTER DATABASE"),
        ("alter role all set {setting} = 'b'", "ALTER ROLE ALL"),
    ] {
        world.refuses(danger, attack, says).await;
    }
    // Empty is unbound, and somebody else's pin is none of ours.
    run(
        &world.admin,
        &world.fill("alter role {app} set {setting} = ''; alter role {owner} set {setting} = 'b'"),
    )
    .await;
    world.is_safe(attack).await;
}

#[tokio::test]
async fn a_setting_that_already_has_a_value() {
    let world = World::new("guard_preset").await;
    let app = world.app().await;
    assert!(world.checked(&app).await.is_ok());
    run(&app, &world.fill("set {setting} = 'b'")).await;
    let error = world.checked(&app).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsafeRole);
    assert!(
        error.to_string().contains("although nothing was bound"),
        "{error}"
    );
    run(&app, &world.fill("reset {setting}")).await;
    assert!(world.checked(&app).await.is_ok());
}

#[tokio::test]
async fn a_superuser_in_disguise() {
    let world = World::new("guard_disguise").await;
    run(&world.admin, &world.fill("set session authorization {app}")).await;
    assert!(!world.works(&world.admin, READS_ALL).await);
    // Any statement of the application's could do this.
    let attack = format!("reset session authorization; {READS_ALL}");
    assert!(world.works(&world.admin, &attack).await);
    let error = world.checked(&world.admin).await.unwrap_err();
    assert!(
        error.to_string().contains("role \"postgres\": it is a superuser"),
        "{error}"
    );
}

#[tokio::test]
async fn the_reference_schema_passes() {
    let db = Database::migrated("guard_reference").await;
    check(&db.client_as("app_user").await, &GuardOptions::default())
        .await
        .unwrap();
    let error = check(&db.admin().await, &GuardOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsafeRole);
}
