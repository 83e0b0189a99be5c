//! Uniqueness is per tenant. What one tenant has never keeps another from having it, so no error tells of it.

use crate::attempt::{Binding, Outcome, attempt, refusal};
use crate::support::run;
use crate::tables::TABLES;
use crate::world::World;

/// `World::new` has already given both tenants the same names, e-mail addresses and hashes. Here `a` takes even the
/// ids of `b`'s rows.
#[tokio::test]
async fn another_tenants_id_can_be_taken_and_the_twin_with_a_global_key_tells() {
    let world = World::new("unique").await;
    let bound = Binding::To(world.a.id());
    for table in TABLES.iter().filter(|table| table.name != "tenants") {
        let name = table.name;
        let insert = vec![world.a.insert(table, world.b.row(name), "other", &world.a)];
        assert_eq!(
            attempt(&world.app, bound, &insert).await,
            Outcome::Rows(1),
            "app.{name}"
        );
        if name == "call_logs" {
            // Partitioned: no global key can be had but by partition.
            continue;
        }
        run(
            &world.admin,
            &format!("alter table app.{name} add constraint {name}_twin unique (id)"),
        )
        .await;
        let told = attempt(&world.app, bound, &insert).await;
        assert_eq!(
            told,
            Outcome::Constraint(format!("{name}_twin")),
            "app.{name} with a global key"
        );
    }
}

#[tokio::test]
async fn within_a_tenant_the_same_thing_twice_is_refused() {
    let world = World::new("unique_within").await;
    for table in TABLES
        .iter()
        .filter(|table| !matches!(table.name, "tenants" | "call_logs"))
    {
        let again = vec![world.a.insert(table, &(table.new_id)(), "same", &world.a)];
        let outcome = attempt(&world.app, Binding::To(world.a.id()), &again).await;
        assert!(
            matches!(outcome, Outcome::Constraint(_)),
            "app.{}: {outcome:?}",
            table.name
        );
    }
}

#[tokio::test]
async fn a_deleted_row_gives_its_name_free() {
    let world = World::new("unique_deleted").await;
    for name in ["users", "processes", "api_keys"] {
        let table = crate::tables::table(name);
        let again = world.a.insert(table, &(table.new_id)(), "same", &world.a);
        // A key's hash stays taken: it would be the same key.
        let again = again.replace("sha256('same')", "sha256('new')");
        let statements = [format!("update app.{name} set deleted_at = now()"), again];
        let outcome = attempt(&world.app, Binding::To(world.a.id()), &statements).await;
        assert_eq!(outcome, Outcome::Rows(1), "app.{name}");
    }
}

/// Slugs are the one name that tenants share. A session bound to a tenant that exists cannot try them out: whatever
/// the slug, PostgreSQL's answer is the same.
#[tokio::test]
async fn slugs_of_others_cannot_be_tried_out_and_the_twin_can() {
    let world = World::new("slug").await;
    let taken = world.b.id().trim_start_matches("ten_").to_owned();
    let answers = async |conflict: &str| {
        let mut list = Vec::new();
        for slug in [taken.as_str(), "free"] {
            let id = world.a.id();
            let sql =
                format!("insert into app.tenants (id, name, slug) values ('{id}', 'x', '{slug}') {conflict}");
            world.bind(id).await;
            let answer = world.app.execute(&sql, &[]).await;
            run(&world.app, "rollback").await;
            list.push(answer.map_err(|error| {
                let db = error.as_db_error().unwrap();
                (
                    db.code().code().to_owned(),
                    db.message().to_owned(),
                    db.detail().map(str::to_owned),
                )
            }));
        }
        list
    };
    let tries = [
        "",
        "on conflict do nothing",
        "on conflict (slug) do nothing",
        "on conflict (id) do nothing",
        "on conflict on constraint tenants_slug_key do nothing",
    ];
    for conflict in tries {
        let list = answers(conflict).await;
        assert_eq!(list[0], list[1], "{conflict}");
    }
    let twin = "alter table app.tenants drop constraint tenants_slug_key; \
                alter table app.tenants add constraint tenants_slug_key unique (slug)";
    run(&world.admin, twin).await;
    let list = answers("on conflict (slug) do nothing").await;
    assert_ne!(list[0], list[1], "a plain unique constraint tells");

    // Changing the slug would tell as well: the application may not.
    let steal = vec![format!("update app.tenants set slug = '{taken}'")];
    let outcome = attempt(&world.app, Binding::To(world.a.id()), &steal).await;
    assert_eq!(outcome, Outcome::Permission);
    run(&world.admin, "grant update (slug) on app.tenants to app_user").await;
    let outcome = attempt(&world.app, Binding::To(world.a.id()), &steal).await;
    assert_eq!(outcome, Outcome::Constraint("tenants_slug_key".to_owned()));
}

/// Two sign-ups for one slug: the second is told so. That much a sign-up form tells everybody.
#[tokio::test]
async fn a_new_tenant_gets_a_free_slug_only() {
    let world = World::new("sign_up").await;
    let taken = world.b.id().trim_start_matches("ten_");
    let id = (crate::tables::table("tenants").new_id)();
    world.bind(&id).await;
    let sql = format!("insert into app.tenants (id, name, slug) values ('{id}', 'new', '{taken}')");
    let error = world.app.execute(&sql, &[]).await.unwrap_err();
    assert_eq!(
        refusal(&error),
        Some(Outcome::Constraint("tenants_slug_key".to_owned()))
    );
}
