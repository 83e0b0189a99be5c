//! What the catalog holds, on a database that has one of everything.

use rls_tool::catalog::{
    Catalog, ConstraintKind, ForeignKeyAction, LoadOptions, PolicyCommand, Privilege, RelationKind, TypeKind,
};

use crate::support::{Database, run};

/// The catalog of a database with one of everything, loaded before it is rolled back: roles outlive databases.
async fn everything() -> Catalog {
    let database = Database::create("catalog").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    transaction
        .batch_execute(include_str!("everything.sql"))
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let options = LoadOptions {
        shown_settings: vec!["app.current_tenant".into()],
    };
    let catalog = Catalog::load(&transaction, &options).await.unwrap();
    let path: String = transaction
        .query_one("show search_path", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(path, "\"$user\", public", "search_path is put back");
    catalog
}

#[tokio::test]
async fn the_catalog_holds_one_of_everything() {
    let catalog = everything().await;
    let orders = catalog.relation_named("shop", "orders").unwrap();
    assert!(orders.row_security && orders.force_row_security);
    assert_eq!(catalog.role_name(orders.owner), "cat_owner");
    let column = |name: &str| orders.column_named(name).unwrap();
    assert_eq!(column("id").identity, Some('a'));
    assert_eq!(&*column("state").type_name, "shop.state");
    assert_eq!(column("state").default.as_deref(), Some("'new'::shop.state"));
    assert_eq!(column("doubled").generated, Some('s'));
    assert_eq!(&*column("total").type_name, "numeric(12,2)");
    assert!(column("tenant_id").not_null && !column("total").not_null);

    let (key, foreign) = orders.foreign_keys().next().unwrap();
    assert_eq!(orders.column_names(&key.columns), ["tenant_id".into()]);
    assert_eq!(foreign.on_delete, ForeignKeyAction::Cascade);
    assert!(key.validated && key.enforced);
    assert!(orders.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Check(sql) if &**sql == "(total >= (0)::numeric)")
    }));

    let policy = &orders.policies[0];
    assert_eq!(
        (&*policy.name, policy.command, policy.permissive),
        ("mine", PolicyCommand::All, true)
    );
    assert_eq!(policy.using.as_deref(), Some("(tenant_id = shop.mine())"));
    assert!(policy.using_tree.as_ref().unwrap().starts_with("{OPEXPR"));
    let tenants = catalog.relation_named("shop", "tenants").unwrap();
    assert_eq!(policy.reads[0].relation, tenants.oid);
    assert_eq!(policy.calls.len(), 1);

    let trigger = &orders.triggers[0];
    assert!(trigger.before() && trigger.on_update() && trigger.conditional && trigger.fires());
    let lines = catalog.relation_named("shop", "lines").unwrap();
    assert!(lines.rules[0].instead);
    let lower = lines
        .indexes
        .iter()
        .find(|index| &*index.name == "lines_lower")
        .unwrap();
    assert!(lower.unique && lower.keys[0] == 0 && lower.predicate.is_some());
    assert!(
        lines
            .constraints
            .iter()
            .any(|constraint| matches!(constraint.kind, ConstraintKind::Exclusion(_)))
    );

    let partition = catalog.relation_named("shop", "events_2026").unwrap();
    let events = catalog.relation_named("shop", "events").unwrap();
    assert_eq!(
        (events.kind, partition.parents.as_slice()),
        (RelationKind::PartitionedTable, &[events.oid][..])
    );
    assert!(
        partition
            .partition_bound
            .as_ref()
            .unwrap()
            .starts_with("FOR VALUES FROM")
    );
    let view = catalog.relation_named("shop", "open_orders").unwrap();
    assert!(view.option_is_on("security_barrier") && !view.option_is_on("security_invoker"));
    assert_eq!((view.reads[0].relation, view.updatable), (orders.oid, 28));
    let totals = catalog.relation_named("shop", "totals").unwrap();
    assert_eq!(totals.reads[0].relation, view.oid);

    let count = catalog
        .functions
        .iter()
        .find(|function| &*function.name == "count_orders")
        .unwrap();
    assert!(count.security_definer && count.body_tree.is_some());
    assert_eq!(count.setting("search_path"), Some("\"\""));
    assert_eq!(count.reads[0].relation, orders.oid);

    let kind = |name: &str| {
        &catalog
            .types
            .iter()
            .find(|kind| (&*kind.schema, &*kind.name) == ("shop", name))
            .unwrap()
            .kind
    };
    assert_eq!(*kind("state"), TypeKind::Enum(vec!["new".into(), "paid".into()]));
    assert!(matches!(kind("email"), TypeKind::Domain { .. }));
    assert!(matches!(kind("point"), TypeKind::Composite(list) if list.len() == 2));
    assert!(
        !catalog.types.iter().any(|kind| &*kind.name == "orders"),
        "no row types"
    );

    assert_eq!(
        catalog
            .sequences
            .iter()
            .filter(|sequence| sequence.identity)
            .count(),
        1
    );
    assert_eq!(catalog.publications[0].tables, [orders.oid]);
    assert_eq!(catalog.foreign_servers.len(), 1);
    assert_eq!(catalog.collations.len(), 1);
    assert_eq!(catalog.operators.len(), 1);
    assert_eq!(catalog.large_objects[0].count, 1);
    assert_eq!(&*catalog.system_grants[0].name, "pg_statistic");
    assert!(
        catalog
            .extensions
            .iter()
            .any(|extension| &*extension.name == "plpgsql")
    );
    assert!(!catalog.default_privileges.is_empty());
}

#[tokio::test]
async fn grants_and_memberships_add_up() {
    let catalog = everything().await;
    let app = catalog.actor(catalog.role_named("cat_app").unwrap());
    let orders = catalog.relation_named("shop", "orders").unwrap();
    assert!(app.on_relation(orders).has(Privilege::Insert));
    assert!(!app.on_relation(orders).has(Privilege::Update));
    let state = orders.column_named("state").unwrap();
    assert!(
        app.on_column(orders, state).has(Privilege::Update),
        "by its group"
    );
    assert!(catalog.may_use_schema(&app, "shop"));
    assert!(
        app.may_become
            .contains(&catalog.role_named("cat_group").unwrap().oid)
    );
    let group = catalog.actor(catalog.role_named("cat_group").unwrap());
    assert!(!group.may_become.contains(&app.oid) && !catalog.may_use_schema(&group, "shop"));
}

#[tokio::test]
async fn values_that_may_be_secret_are_not_kept() {
    let catalog = everything().await;
    let value = |name: &str| {
        let mut settings = catalog.settings.iter();
        settings
            .find(|setting| setting.name == name)
            .unwrap()
            .value
            .clone()
    };
    assert_eq!(value("app.current_tenant").as_deref(), Some("ten_pinned"));
    assert_eq!(value("app.secret"), None);
    let saved = serde_json::to_string(&catalog).unwrap();
    assert!(!saved.contains("do not keep") && !saved.contains("secret-host"));
}

#[tokio::test]
async fn a_saved_catalog_reads_back_the_same() {
    let catalog = everything().await;
    let saved = serde_json::to_string(&catalog).unwrap();
    let read: Catalog = serde_json::from_str(&saved).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), saved);
    let oid = catalog.relation_named("shop", "lines").unwrap().oid;
    assert_eq!(&*read.relations.get(oid).unwrap().name, "lines");
}

#[tokio::test]
async fn a_role_without_any_right_reads_the_same_catalog() {
    let database = Database::create("catalog_plain").await;
    let admin = database.admin().await;
    run(
        &admin,
        "create schema s; create table s.t (tenant_id text); revoke all on schema s from public",
    )
    .await;
    run(
        &admin,
        "do $$ begin create role cat_nobody login; exception when duplicate_object then null; end $$",
    )
    .await;
    let load = async |role: &str| {
        let mut client = database.client_as(role).await;
        let transaction = client.transaction().await.unwrap();
        Catalog::load(&transaction, &LoadOptions::default())
            .await
            .unwrap()
    };
    let (seen, all) = (load("cat_nobody").await, load("postgres").await);
    let json = |catalog: &Catalog| serde_json::to_value(&catalog.relations).unwrap();
    assert_eq!(json(&seen), json(&all));
    assert_eq!(
        (seen.unseen.len(), all.unseen.len()),
        (1, 0),
        "and says what it may have missed"
    );
}
