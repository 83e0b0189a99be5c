//! Purging: a bound session purges its own tenant's expired rows, app_maintenance everybody's, and it sees and
//! reaches nothing but what is expired.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::world::World;

/// The purge functions, the tables that they purge, and what makes a row due.
const PURGES: &[(&str, &[&str], &str)] = &[
    (
        "purge_response_caches",
        &["response_caches"],
        "expires_at = now()",
    ),
    (
        "purge_expired_logins",
        &["sessions", "verification_tokens"],
        "expires_at = now()",
    ),
    (
        "purge_rate_limits",
        &["rate_limits"],
        "window_started_at = now() - interval '2 days', window_ends_at = now()",
    ),
];

async fn purge(client: &tokio_postgres::Client, function: &str) -> i64 {
    client
        .query_one(&format!("select app.{function}()"), &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn a_bound_session_purges_its_own_and_maintenance_everybodys() {
    let world = World::new("purge").await;
    for (function, tables, due) in PURGES {
        world.bind(world.a.id()).await;
        assert_eq!(
            purge(&world.app, function).await,
            0,
            "{function}: nothing is due yet"
        );
        run(&world.app, "rollback").await;

        let due_rows = i64::try_from(tables.len()).unwrap();
        for table in *tables {
            run(&world.admin, &format!("update app.{table} set {due}")).await;
        }
        assert_eq!(purge(&world.app, function).await, 0, "{function}, unbound");
        world.bind(world.a.id()).await;
        assert_eq!(
            purge(&world.app, function).await,
            due_rows,
            "{function}, bound to a"
        );
        run(&world.app, "commit").await;
        for table in *tables {
            let left = format!(
                "select count(*) from app.{table} where tenant_id = '{}'",
                world.b.id()
            );
            assert_eq!(world.count(&left).await, 1, "app.{table}: b's row stays");
        }

        run(&world.admin, "begin; set local role app_maintenance").await;
        assert_eq!(
            purge(&world.admin, function).await,
            due_rows,
            "{function}, maintenance: b's"
        );
        run(&world.admin, "commit").await;
    }
}

#[tokio::test]
async fn a_purge_takes_no_more_than_asked() {
    let world = World::new("purge_some").await;
    run(&world.admin, "update app.response_caches set expires_at = now()").await;
    run(&world.admin, "set role app_maintenance").await;
    for expected in [1_i64, 1, 0] {
        let row = world
            .admin
            .query_one("select app.purge_response_caches(1)", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), expected);
    }
}

/// Were the function SECURITY DEFINER of somebody who sees all, one tenant would purge the others.
#[tokio::test]
async fn the_twin_that_runs_as_maintenance_purges_other_tenants() {
    let world = World::new("purge_twin").await;
    run(&world.admin, "update app.response_caches set expires_at = now()").await;
    let twin = "grant create on schema app to app_maintenance;
                alter function app.purge_response_caches(bigint) owner to app_maintenance;
                alter function app.purge_response_caches(bigint) security definer";
    run(&world.admin, twin).await;
    world.bind(world.a.id()).await;
    assert_eq!(purge(&world.app, "purge_response_caches").await, 2);
}

#[tokio::test]
async fn maintenance_reaches_expired_rows_and_nothing_else() {
    let world = World::new("maintenance").await;
    let as_maintenance = |sql: String| vec!["set local role app_maintenance".to_owned(), sql];
    for (_, tables, due) in PURGES {
        for name in *tables {
            let table = crate::tables::table(name);
            let tries = [
                (format!("select id from app.{name}"), Outcome::Rows(0)),
                (format!("delete from app.{name}"), Outcome::Rows(0)),
                (format!("update app.{name} set id = id"), Outcome::Permission),
                (
                    world.a.insert(table, &(table.new_id)(), "other", &world.a),
                    Outcome::Permission,
                ),
                (format!("select created_at from app.{name}"), Outcome::Permission),
            ];
            for (sql, expected) in tries {
                let statements = as_maintenance(sql);
                // Bound or not makes no difference to it.
                for binding in [Binding::To(""), Binding::To(world.a.id())] {
                    let outcome = attempt(&world.admin, binding, &statements).await;
                    assert_eq!(outcome, expected, "{statements:?}");
                }
            }
            run(&world.admin, &format!("update app.{name} set {due}")).await;
            let read = as_maintenance(format!("select id from app.{name}"));
            assert_eq!(
                attempt(&world.admin, Binding::To(""), &read).await,
                Outcome::Rows(2),
                "app.{name}, expired"
            );
            world.restore(name).await;
            run(&world.admin, &format!("update app.{name} set updated_at = now()")).await;
        }
    }
    for table in [
        "tenants",
        "users",
        "accounts",
        "processes",
        "process_versions",
        "api_keys",
        "call_logs",
    ] {
        let read = as_maintenance(format!("select from app.{table}"));
        assert_eq!(
            attempt(&world.admin, Binding::To(""), &read).await,
            Outcome::Permission,
            "app.{table}"
        );
    }
    // The twin: its policy opened.
    let open = "update app.sessions set expires_at = now() + interval '1 day';
                alter policy maintenance on app.sessions using (true)";
    run(&world.admin, open).await;
    let read = as_maintenance("select id from app.sessions".to_owned());
    assert_eq!(
        attempt(&world.admin, Binding::To(""), &read).await,
        Outcome::Rows(2)
    );
}
