//! What the model decides: tenant-scoped tables, audited roles, doors; and how it refuses wrong declarations.

use rls_tool::audit::{Command, DoorKind};
use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::model::{Config, EscapeKind, Model, Scope, Step};

use crate::support::Database;

const SHOP: &str = "
    create role model_app login;
    create role model_owner login;
    create role model_boss superuser login;
    create schema shop authorization model_owner;
    set role model_owner;
    create table shop.tenants (id text primary key);
    create table shop.users (tenant_id text not null references shop.tenants, id int primary key);
    create table shop.profiles (org text not null references shop.tenants);
    create table shop.posts (author int not null references shop.users, id int primary key);
    create table shop.comments (post int not null references shop.posts, reply_to int);
    create table shop.drafts (author int references shop.users);
    create table shop.countries (code text primary key);
    create table shop.log (tenant_id text, at date) partition by range (at);
    create table shop.log_1 partition of shop.log default;
    create view shop.v as select * from shop.users;
    create function shop.f() returns int security definer language sql as 'select 1';
    create function shop.g() returns int language sql as 'select 1';
    grant usage on schema shop to model_app;
    grant select, insert on shop.users, shop.posts, shop.log, shop.countries to model_app;
    grant update (id) on shop.posts to model_app;
    grant select on shop.v, shop.log_1 to model_app;
    reset role;
";

async fn catalog_of(sql: &str) -> Catalog {
    let database = Database::create("model").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    transaction
        .batch_execute(sql)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    Catalog::load(&transaction, &LoadOptions::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn tables_are_scoped_by_column_reference_and_mandatory_key() {
    let catalog = catalog_of(SHOP).await;
    let model = Model::build(&catalog, &Config::default()).unwrap();
    let scope = |name: &str| {
        model
            .table(catalog.relation_named("shop", name).unwrap().oid)
            .map(|table| table.scope)
    };
    assert_eq!(scope("users"), Some(Scope::Column { column: 1 }));
    assert_eq!(scope("tenants"), Some(Scope::Root { key: 1 }));
    assert_eq!(
        scope("profiles"),
        Some(Scope::Column { column: 1 }),
        "named org, but refers to a tenant"
    );
    assert!(matches!(scope("posts"), Some(Scope::Child { .. })));
    assert!(
        matches!(scope("comments"), Some(Scope::Child { .. })),
        "through posts"
    );
    assert_eq!(scope("drafts"), None, "its foreign key may be NULL");
    assert_eq!(scope("countries"), None);
    let partition = model
        .table(catalog.relation_named("shop", "log_1").unwrap().oid)
        .unwrap();
    assert_eq!(
        partition.part_of,
        Some(catalog.relation_named("shop", "log").unwrap().oid)
    );
    assert_eq!(model.global.len(), 2);
    assert!(
        model
            .explain(&catalog)
            .to_string()
            .contains("shop.users: has the tenant column tenant_id")
    );
}

#[tokio::test]
async fn the_application_role_is_detected_and_its_doors_are_listed() {
    let catalog = catalog_of(SHOP).await;
    let model = Model::build(&catalog, &Config::default()).unwrap();
    let names: Vec<_> = model.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["model_app"], "neither the owner nor the superuser");
    let doors: Vec<_> = model
        .doors
        .iter()
        .map(|door| (door.object.to_string(), door.kind, door.command))
        .collect();
    let expected = [
        ("shop.f()", DoorKind::Function, Command::Execute),
        ("shop.log", DoorKind::Table, Command::Select),
        ("shop.log", DoorKind::Table, Command::Insert),
        ("shop.log_1", DoorKind::Partition, Command::Select),
        ("shop.posts", DoorKind::Table, Command::Select),
        ("shop.posts", DoorKind::Table, Command::Insert),
        ("shop.posts", DoorKind::Table, Command::Update),
        ("shop.users", DoorKind::Table, Command::Select),
        ("shop.users", DoorKind::Table, Command::Insert),
        ("shop.v", DoorKind::View, Command::Select),
    ]
    .map(|(name, kind, command)| (name.to_owned(), kind, command));
    assert_eq!(doors, expected);
}

#[tokio::test]
async fn ways_out_of_row_security_are_found() {
    let sql = format!(
        "{SHOP} grant model_owner to model_app; create role model_way; grant model_boss to model_way; grant model_way to model_app;"
    );
    let catalog = catalog_of(&sql).await;
    let config = Config {
        roles: vec!["model_app".into()],
        ..Config::default()
    };
    let model = Model::build(&catalog, &config).unwrap();
    let escapes: Vec<_> = model.roles[0]
        .escapes
        .iter()
        .map(|escape| {
            (
                catalog.role_name(escape.role),
                escape.step,
                matches!(escape.kind, EscapeKind::Superuser),
            )
        })
        .collect();
    assert!(
        escapes.contains(&("model_boss", Step::SetRole, true)),
        "{escapes:?}"
    );
    assert!(
        escapes.contains(&("model_owner", Step::Inherits, false)),
        "{escapes:?}"
    );
}

#[tokio::test]
async fn wrong_declarations_are_refused_with_a_suggestion() {
    let catalog = catalog_of(SHOP).await;
    let refused = |config: Config| {
        let error = Model::build(&catalog, &config).unwrap_err();
        format!("{error} / {}", error.help().unwrap_or_default())
    };
    let config = Config {
        roles: vec!["model_ap".into()],
        ..Config::default()
    };
    assert_eq!(
        refused(config),
        "there is no role \"model_ap\" / did you mean \"model_app\"?"
    );
    let config = Config {
        schemas: vec!["shopp".into()],
        ..Config::default()
    };
    assert_eq!(
        refused(config),
        "there is no schema \"shopp\" / did you mean \"shop\"?"
    );
    let config = Config {
        tenant_column: Some("tenantId".into()),
        ..Config::default()
    };
    assert_eq!(
        refused(config),
        "no table has the tenant column \"tenantId\" / did you mean --tenant-column tenant_id?"
    );
    let config = Config {
        tenant_column: Some("customer".into()),
        ..Config::default()
    };
    assert!(
        refused(config).ends_with("did you mean --tenant-column author?"),
        "the column that most tables share"
    );
}

#[tokio::test]
async fn an_owner_is_never_taken_for_the_application() {
    let sql = "create role model_owner2 login; create table t (tenant_id text); alter table t owner to model_owner2";
    let error = Model::build(&catalog_of(sql).await, &Config::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("model_owner2 owns 1 of the tenant-scoped tables"),
        "{error}"
    );
}
