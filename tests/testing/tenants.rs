//! Two tenants with rows in every table, kept.

use std::collections::BTreeSet;

use rls_tool::testing::Postgres;

use crate::shop::{ROLE, shop};

#[tokio::test]
async fn both_have_rows_in_every_table_and_the_tenants_stay_the_same() {
    let db = shop("tenants").await;
    let [a, b] = db
        .tenants()
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    assert_ne!(a, b);
    assert_eq!(db.tenants().await.unwrap(), [a.clone(), b.clone()]);
    let admin = db.superuser().await.unwrap();
    for (sql, what) in [
        ("select id::text from shop.tenants", "tenants"),
        ("select tenant_id::text from shop.orders", "orders"),
        (
            "select o.tenant_id::text from shop.lines l join shop.orders o on o.id = l.order_id",
            "lines",
        ),
    ] {
        let rows = admin.query(sql, &[]).await.unwrap();
        let owners: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(owners, BTreeSet::from([a.to_string(), b.to_string()]), "{what}");
    }
}

#[tokio::test]
async fn the_reference_schema_is_filled_too() {
    let db = Postgres::builder().role("app_user").start().await.unwrap();
    db.migrate_reference()
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    let [a, _] = db
        .tenants()
        .await
        .unwrap_or_else(|error| panic!("{}", error.chain()));
    let session = db.as_tenant(&a).await.unwrap();
    for table in [
        "app.tenants",
        "app.users",
        "app.api_keys",
        "app.call_logs",
        "app.rate_limits",
    ] {
        session.sees_only(table).await;
    }
}

#[tokio::test]
async fn a_session_is_bound_until_it_ends_and_to_that_tenant_only() {
    let db = shop("bound").await;
    let [a, b] = db.tenants().await.unwrap();
    let sql = "select distinct tenant_id::text from shop.orders";
    for tenant in [&a, &b] {
        let session = db.as_tenant(tenant).await.unwrap();
        for _ in 0..2 {
            let rows = session.query(sql, &[]).await.unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].get::<_, &str>(0), tenant.id());
        }
    }
    // Anything that names a tenant will do.
    let id = uuid::Uuid::parse_str(a.id()).unwrap();
    let session = db.as_tenant(&id).await.unwrap();
    session.sees_only("shop.orders").await;
    assert_eq!(session.query(sql, &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_table_that_cannot_be_filled_is_named() {
    let db = crate::shop::sabotaged(
        "unfillable",
        "create function shop.no() returns trigger language plpgsql as $$ begin raise 'never'; end $$;
         create trigger no before insert on shop.lines for each row execute function shop.no()",
    )
    .await;
    let error = db.tenants().await.unwrap_err();
    assert!(
        error.chain().contains("shop.lines") && error.chain().contains("never"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn without_a_declared_role_it_is_detected_or_asked_for() {
    let db = Postgres::builder().start().await.unwrap();
    db.create_role(ROLE).await.unwrap();
    db.sql_files(crate::shop::SCHEMA).await.unwrap();
    let [a, _] = db.tenants().await.unwrap();
    match db.as_tenant(&a).await {
        Ok(session) => session.sees_only("shop.orders").await,
        Err(error) => assert!(error.help().unwrap().contains(".role(")),
    }
}
