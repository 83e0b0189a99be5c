//! What privileges alone keep away: TRUNCATE, REFERENCES, TRIGGER, CREATE, the columns that the database keeps, and
//! everything from PUBLIC. Row security does not cover the first three at all.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::tables::TABLES;
use crate::world::World;

#[tokio::test]
async fn truncate_is_refused_and_the_twin_empties_every_tenants_table() {
    let world = World::new("truncate").await;
    let mut relations: Vec<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    relations.push("call_logs_default".to_owned());
    for name in relations {
        let truncate = vec![format!("truncate app.{name} cascade")];
        let bound = Binding::To(world.a.id());
        assert_eq!(
            attempt(&world.app, bound, &truncate).await,
            Outcome::Permission,
            "app.{name}"
        );
    }
    run(&world.admin, "grant truncate on app.rate_limits to app_user").await;
    world.bind(world.a.id()).await;
    run(&world.app, "truncate app.rate_limits; commit").await;
    let left = format!(
        "select count(*) from app.rate_limits where tenant_id = '{}'",
        world.b.id()
    );
    assert_eq!(world.count(&left).await, 0, "the twin: b's rows are gone");
}

/// A foreign key is checked past row security: whoever may make one can ask it for any row.
#[tokio::test]
async fn references_is_refused_and_the_twin_finds_foreign_rows() {
    let world = World::new("references").await;
    run(
        &world.admin,
        "create schema scratch; grant usage, create on schema scratch to app_user",
    )
    .await;
    for table in TABLES
        .iter()
        .filter(|table| table.key == "tenant_id" && table.name != "call_logs")
    {
        let name = table.name;
        let spy = format!(
            "create table scratch.spy (tenant_id text, id text, foreign key (tenant_id, id) references app.{name})"
        );
        let ask = |id: &str| format!("insert into scratch.spy values ('{}', '{id}')", world.b.id());
        let bound = Binding::To(world.a.id());
        assert_eq!(
            attempt(&world.app, bound, std::slice::from_ref(&spy)).await,
            Outcome::Permission,
            "app.{name}"
        );
        run(
            &world.admin,
            &format!("grant references on app.{name} to app_user"),
        )
        .await;
        let there = attempt(&world.app, bound, &[spy.clone(), ask(world.b.row(name))]).await;
        let not_there = attempt(&world.app, bound, &[spy, ask(&(table.new_id)())]).await;
        assert_eq!(there, Outcome::Rows(1), "app.{name}, the twin");
        assert!(
            matches!(not_there, Outcome::Constraint(_)),
            "app.{name}, the twin: {not_there:?}"
        );
    }
}

#[tokio::test]
async fn triggers_are_refused_and_the_twin_makes_one() {
    let world = World::new("trigger").await;
    let prepare = "create schema scratch; grant usage on schema scratch to app_user;
                   create function scratch.spy() returns trigger language plpgsql as 'begin return new; end'";
    run(&world.admin, prepare).await;
    for table in TABLES {
        let name = table.name;
        let spy = vec![format!(
            "create trigger spy before insert on app.{name} for each row execute function scratch.spy()"
        )];
        let bound = Binding::To(world.a.id());
        assert_eq!(
            attempt(&world.app, bound, &spy).await,
            Outcome::Permission,
            "app.{name}"
        );
        // On partitions too: a trigger on the parent is one on each of them.
        run(
            &world.admin,
            "grant trigger on all tables in schema app to app_user",
        )
        .await;
        assert_eq!(
            attempt(&world.app, bound, &spy).await,
            Outcome::Rows(0),
            "app.{name}, the twin"
        );
        run(
            &world.admin,
            "revoke trigger on all tables in schema app from app_user",
        )
        .await;
    }
}

/// Ids, tenant and time stamps are the database's; the policy would stop a moved row as well (`isolation.rs`).
#[tokio::test]
async fn columns_that_the_database_keeps_are_not_for_the_application() {
    let world = World::new("columns").await;
    for table in TABLES {
        let name = table.name;
        let bound = Binding::To(world.a.id());
        for column in ["id", table.key, "created_at", "updated_at"] {
            let update = vec![format!("update app.{name} set {column} = {column}")];
            assert_eq!(
                attempt(&world.app, bound, &update).await,
                Outcome::Permission,
                "app.{name}.{column}"
            );
            run(
                &world.admin,
                &format!("grant update ({column}) on app.{name} to app_user"),
            )
            .await;
            assert_eq!(
                attempt(&world.app, bound, &update).await,
                Outcome::Rows(1),
                "app.{name}.{column}, the twin"
            );
            run(
                &world.admin,
                &format!("revoke update ({column}) on app.{name} from app_user"),
            )
            .await;
        }
        for column in ["created_at", "updated_at"] {
            let tenant = if name == "tenants" {
                world.a.id().to_owned()
            } else {
                (table.new_id)()
            };
            let insert = world.a.insert(table, &tenant, "other", &world.a);
            let forged = vec![insert.replacen(" (", &format!(" ({column}, "), 1).replacen(
                "values (",
                "values ('2001-01-01', ",
                1,
            )];
            assert_eq!(
                attempt(&world.app, bound, &forged).await,
                Outcome::Permission,
                "app.{name}.{column}"
            );
        }
    }
}

#[tokio::test]
async fn public_has_nothing() {
    let world = World::new("public").await;
    let sql = include_str!("public_grants.sql");
    let grants = async || -> Vec<String> {
        let rows = world.admin.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect()
    };
    assert_eq!(grants().await, Vec::<String>::new());

    // What later migrations make is closed too.
    let later = "set role app_owner; create function app.later() returns int language sql return 1;
                 create type app.later_type as enum ('x'); create table app.later_table (); reset role;
                 grant create on schema app to app_lookup; set role app_lookup;
                 create function app.later_lookup() returns int language sql return 1; reset role";
    run(&world.admin, later).await;
    assert_eq!(grants().await, Vec::<String>::new());

    // The twin: PostgreSQL's own defaults.
    let twin = "alter default privileges for role app_owner grant execute on functions to public;
                set role app_owner; create function app.open() returns int language sql return 1; reset role;
                grant select on app.users to public; grant update (name) on app.users to public";
    run(&world.admin, twin).await;
    let expected = [
        "app.open(): EXECUTE",
        "app.users: SELECT",
        "app.users.name: UPDATE",
    ];
    assert_eq!(grants().await, expected);
}

/// The application may do this and nothing else.
#[tokio::test]
async fn the_applications_functions_are_these() {
    let world = World::new("functions").await;
    let sql = "
        select r.rolname::text, string_agg(p.proname, ' ' order by p.proname)
          from pg_proc p
          cross join (values ('app_user'), ('app_maintenance'), ('app_lookup')) r (rolname)
         where p.pronamespace = 'app'::regnamespace and p.proowner <> r.rolname::regrole
           and has_function_privilege(r.rolname, p.oid, 'EXECUTE')
         group by 1 order by 1";
    let rows = world.admin.query(sql, &[]).await.unwrap();
    let found: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let purges = "purge_expired_logins purge_rate_limits purge_response_caches";
    let expected = [
        (
            "app_maintenance".to_owned(),
            format!("drop_call_log_partitions make_call_log_partitions {purges}"),
        ),
        (
            "app_user".to_owned(),
            format!(
                "consume_rate_limit current_tenant find_account find_api_key find_logins find_session \
                 find_verification_token new_id {purges}"
            ),
        ),
    ];
    assert_eq!(found, expected);
}
