//! Sessions that are bound to nothing: never set, '', garbage, and what earlier transactions leave behind. They see
//! no row and change none, and a read is never an error.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::tables::{TABLES, Table};
use crate::world::World;

/// Values that are no tenant's id, though some look inviting.
fn garbage(world: &World) -> Vec<String> {
    let b = world.b.id();
    let mut list: Vec<_> = [
        "",
        " ",
        "garbage",
        "%",
        ".*",
        "null",
        "*",
        "ten_",
        "true",
        "0",
        "' or true --",
    ]
    .map(str::to_owned)
    .into();
    list.extend([
        b.to_uppercase(),
        format!("{b} "),
        format!("{b}\n"),
        format!(" {b}"),
        b[..29].to_owned(),
    ]);
    list.push(format!("{{{b}}}"));
    list.push("x".repeat(100_000));
    list
}

fn attacks(world: &World, table: &Table) -> Vec<Vec<String>> {
    let name = table.name;
    vec![
        vec![format!("select from app.{name}")],
        vec![world.b.insert(table, &(table.new_id)(), "other", &world.b)],
        vec![format!("update app.{name} set {}", table.change)],
        vec![format!("delete from app.{name}")],
    ]
}

#[tokio::test]
async fn an_unbound_session_reaches_nothing() {
    let world = World::new("unbound").await;
    let mut values = garbage(&world);
    values.push((crate::tables::table("tenants").new_id)());
    for table in TABLES {
        // The policy alone: with every privilege.
        run(
            &world.admin,
            &format!("grant all on app.{} to app_user", table.name),
        )
        .await;
        for statements in attacks(&world, table) {
            let fresh = world.db.client_as("app_user").await;
            let outcome = attempt(&fresh, Binding::Never, &statements).await;
            assert!(
                outcome.held(),
                "app.{}, never bound: {outcome:?} from {statements:?}",
                table.name
            );
            for value in &values {
                let outcome = attempt(&world.app, Binding::To(value), &statements).await;
                assert!(
                    outcome.held(),
                    "app.{}, bound to {value:.40?}: {outcome:?} from {statements:?}",
                    table.name
                );
            }
        }
    }
}

/// A pooled connection: after COMMIT, ROLLBACK and DISCARD ALL the setting is '' and no longer NULL.
#[tokio::test]
async fn nothing_of_a_binding_outlives_its_transaction() {
    let world = World::new("outlives").await;
    let sees = async || -> i64 {
        let sql = "select count(*) from app.users";
        world.app.query_one(sql, &[]).await.unwrap().get(0)
    };
    for end in ["commit", "rollback"] {
        world.bind(world.a.id()).await;
        assert_eq!(sees().await, 1);
        run(&world.app, end).await;
        let sql = "select current_setting('app.current_tenant', true)";
        assert_eq!(world.app.query_one(sql, &[]).await.unwrap().get::<_, &str>(0), "");
        assert_eq!(sees().await, 0, "after {end}");
    }
    run(&world.app, "discard all").await;
    assert_eq!(sees().await, 0, "after DISCARD ALL");

    world.bind(world.a.id()).await;
    run(&world.app, "savepoint s").await;
    let set = format!("set local app.current_tenant = '{}'", world.b.id());
    run(&world.app, &format!("{set}; rollback to s")).await;
    let sql = "select tenant_id from app.users";
    assert_eq!(
        world.app.query_one(sql, &[]).await.unwrap().get::<_, &str>(0),
        world.a.id()
    );
    run(&world.app, "rollback").await;
}

/// The twins: policies as they are often written, and the state in which each fails.
#[tokio::test]
async fn other_forms_of_the_policy_fail_where_ours_holds() {
    const SETTING: &str = "current_setting('app.current_tenant', true)";
    let world = World::new("other_forms").await;
    let read = vec!["select from app.users".to_owned()];
    let set = async |expression: &str| {
        let sql = format!("alter policy tenant_isolation on app.users using ({expression})");
        run(&world.admin, &sql).await;
    };

    set(&format!("tenant_id = {SETTING} or {SETTING} is null")).await;
    let fresh = world.db.client_as("app_user").await;
    assert_eq!(
        attempt(&fresh, Binding::Never, &read).await,
        Outcome::Rows(2),
        "open when never bound"
    );

    set(&format!("coalesce({SETTING}, '') = '' or tenant_id = {SETTING}")).await;
    assert_eq!(
        attempt(&world.app, Binding::To(""), &read).await,
        Outcome::Rows(2),
        "open when ''"
    );

    set(&format!("tenant_id like {SETTING}")).await;
    assert_eq!(
        attempt(&world.app, Binding::To("%"), &read).await,
        Outcome::Rows(2),
        "open to a pattern"
    );

    // A cast turns every unbound read into an error, and the application's pool into one that fails now and then.
    set(&format!("tenant_id = {SETTING}::uuid::text")).await;
    world.bind("").await;
    let error = world.app.query("select from app.users", &[]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22P02");
    run(&world.app, "rollback").await;

    world.restore("users").await;
    for state in ["", "%"] {
        assert_eq!(
            attempt(&world.app, Binding::To(state), &read).await,
            Outcome::Rows(0)
        );
    }
}
