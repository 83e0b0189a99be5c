//! Foreign keys carry the tenant: a row cannot point into another tenant, nor learn whether something is there.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::tables::{TABLES, Table};
use crate::world::World;

/// A row of `a` that refers to `b`'s row in the table `parent`, and otherwise to its own.
fn pointing_into_b(world: &World, table: &Table, column: &str, parent: &str) -> Vec<String> {
    let id = (table.new_id)();
    let own = world.a.insert(table, &id, "other", &world.a);
    let pointing = own.replace(world.a.row(parent), world.b.row(parent));
    assert_ne!(own, pointing, "{}.{column} is not in its INSERT", table.name);
    vec![pointing]
}

#[tokio::test]
async fn no_row_points_into_another_tenant_and_the_twin_with_plain_keys_does() {
    let world = World::new("fk").await;
    let bound = Binding::To(world.a.id());
    for table in TABLES {
        for (column, parent) in table.parents {
            let name = table.name;
            let statements = pointing_into_b(&world, table, column, parent);
            let outcome = attempt(&world.app, bound, &statements).await;
            assert!(
                matches!(outcome, Outcome::Constraint(_)),
                "app.{name}.{column}: {outcome:?}"
            );

            // Nothing to learn either: a row of b and one that never was get the same answer.
            let missing =
                statements[0].replace(world.b.row(parent), &(crate::tables::table(parent).new_id)());
            assert_eq!(
                attempt(&world.app, bound, &[missing]).await,
                outcome,
                "app.{name}.{column}"
            );

            let Outcome::Constraint(constraint) = outcome else {
                unreachable!()
            };
            let twin = format!(
                "alter table app.{name} drop constraint {constraint}; \
                 alter table app.{parent} drop constraint if exists {parent}_twin cascade; \
                 alter table app.{parent} add constraint {parent}_twin unique (id); \
                 alter table app.{name} no force row level security; \
                 alter table app.{parent} no force row level security; \
                 alter table app.{name} add foreign key ({column}) references app.{parent} (id) \
                 on delete cascade"
            );
            run(&world.admin, &twin).await;
            let outcome = attempt(&world.app, bound, &statements).await;
            assert_eq!(outcome, Outcome::Rows(1), "app.{name}.{column} with a plain key");
        }
    }
}

/// With a plain key the harm goes on: the other tenant's DELETE cascades into rows that it cannot even see.
#[tokio::test]
async fn a_delete_stays_within_its_tenant() {
    let world = World::new("cascade").await;
    world.bind(world.b.id()).await;
    run(&world.app, "delete from app.users; commit").await;
    let rows = |tenant: &str| format!("select count(*) from app.sessions where tenant_id = '{tenant}'");
    assert_eq!(
        world.count(&rows(world.b.id())).await,
        0,
        "b's own sessions go with its user"
    );
    assert_eq!(world.count(&rows(world.a.id())).await, 1, "a's stay");

    let world = World::new("cascade_twin").await;
    let twin = "alter table app.sessions drop constraint sessions_user_fkey; \
                alter table app.users add unique (id); \
                alter table app.sessions add foreign key (user_id) references app.users (id) on delete cascade";
    run(&world.admin, twin).await;
    world.bind(world.a.id()).await;
    let point = format!(
        "update app.sessions set user_id = '{}'; commit",
        world.b.row("users")
    );
    run(&world.admin, "grant update (user_id) on app.sessions to app_user").await;
    run(&world.app, &point).await;
    world.bind(world.b.id()).await;
    run(&world.app, "delete from app.users; commit").await;
    assert_eq!(
        world.count(&rows(world.a.id())).await,
        0,
        "the twin: b deleted a row of a"
    );
}

/// The list of this test suite is the catalog's: no foreign key between tenant-scoped tables is left out.
#[tokio::test]
async fn every_foreign_key_is_tried() {
    let world = World::new("fk_list").await;
    let sql = "
        select c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text
          from pg_constraint c
          cross join lateral unnest(c.conkey) k (attnum)
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
         where c.contype = 'f' and c.connamespace = 'app'::regnamespace and a.attname <> 'tenant_id'
           and c.conparentid = 0
         order by 1, 2";
    let found: Vec<(String, String, String)> = world
        .admin
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|r| (r.get(0), r.get(1), r.get(2)))
        .collect();
    let mut listed: Vec<_> = TABLES
        .iter()
        .flat_map(|t| {
            t.parents
                .iter()
                .map(|(c, p)| (format!("app.{}", t.name), (*c).to_owned(), format!("app.{p}")))
        })
        .collect();
    listed.sort();
    assert_eq!(found, listed);
}
