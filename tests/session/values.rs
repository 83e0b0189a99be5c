//! A tenant's value is bound exactly or refused, whatever is in it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rls_tool::session::{AsTenant, Engine, SessionConfig, TenantValue};
use rls_tool::{ErrorKind, TenantPool};
use uuid::Uuid;

use crate::shop::Shop;
use crate::support::run;

/// What the server says is bound.
async fn bound(pool: &TenantPool, tenant: &str) -> Result<String, rls_tool::Error> {
    let sql = "select current_setting('app.current_tenant')";
    pool.tenant(tenant)
        .query_typed_one(sql, &[])
        .await
        .map(|row| row.get(0))
}

/// A setting of every later connection.
async fn alter_database(shop: &Shop, setting: &str) {
    let sql =
        format!("do $$ begin execute format('alter database %I set {setting}', current_database()); end $$");
    run(&shop.database.admin().await, &sql).await;
}

fn strange_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("'".to_owned()),
        Just("\\".to_owned()),
        Just("\\'".to_owned()),
        Just("''".to_owned()),
        Just("\0".to_owned()),
        Just("\n".to_owned()),
        Just("$$".to_owned()),
        Just("',true),pg_catalog.set_config('app.current_tenant','b".to_owned()),
        Just("'; commit; select '".to_owned()),
        Just("';set local app.current_tenant = 'b".to_owned()),
        Just("\u{202e}\u{feff}\u{2019}ʼ＇".to_owned()),
        "\\PC{0,6}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_text_is_bound_exactly_or_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (shop, pools) = runtime.block_on(async {
        let shop = Shop::open("values_any").await;
        // Citus's way of binding is plain SQL, and works without Citus as long as its own setting can be set.
        let citus = SessionConfig::new().engine(Engine::Citus);
        let plain = shop.pool(1).await;
        let citus = shop.pool_with(1, citus).await;
        // As where pg_stat_statements is loaded: before PostgreSQL 18 the binding is a SELECT then.
        alter_database(&shop, "pg_stat_statements.track_utility = on").await;
        let tracked = shop.pool(1).await;
        (shop, [plain, citus, tracked])
    });
    let mut runner = TestRunner::new(Config::with_cases(300));
    let property = |text: String| {
        for pool in &pools {
            match runtime.block_on(bound(pool, &text)) {
                Ok(found) => prop_assert_eq!(&found, &text),
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Input, "{}", error.chain());
                    let refused = text.is_empty() || text.contains('\0') || text.len() > 1024;
                    prop_assert!(refused, "{:?} was refused: {}", text, error.chain());
                }
            }
        }
        Ok::<_, TestCaseError>(())
    };
    runner.run(&strange_text(), property).unwrap();
    drop(shop);
}

#[tokio::test]
async fn a_megabyte_is_refused() {
    let shop = Shop::open("values_long").await;
    let pool = shop.pool(1).await;
    let error = bound(&pool, &"x".repeat(1 << 20)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(bound(&pool, &"x".repeat(1024)).await.unwrap().len(), 1024);
}

#[tokio::test]
async fn quoting_does_not_depend_on_standard_conforming_strings() {
    let shop = Shop::open("values_quoting").await;
    alter_database(&shop, "standard_conforming_strings = off").await;
    let pool = shop.pool(1).await;
    for text in [r"a\'b", r"\\", "'", r"\', true), set_config('a.b', 'c"] {
        assert_eq!(bound(&pool, text).await.unwrap(), text);
    }
}

#[tokio::test]
async fn databases_with_ids_of_their_own() {
    let shop = Shop::open("values_types").await;
    let admin = shop.database.admin().await;
    run(
        &admin,
        "create table by_uuid (tenant_id uuid default nullif(current_setting('my.tenant', true), '')::uuid, x int);
         create table by_number (tenant_id bigint default nullif(current_setting('my.tenant', true), '')::bigint, x int);
         alter table by_uuid enable row level security;
         alter table by_number enable row level security;
         create policy own on by_uuid using (tenant_id = nullif(current_setting('my.tenant', true), '')::uuid);
         create policy own on by_number using (tenant_id = nullif(current_setting('my.tenant', true), '')::bigint);
         grant all on by_uuid, by_number to app_user;",
    )
    .await;
    let pool = shop
        .pool_with(1, SessionConfig::new().tenant_setting("my.tenant"))
        .await;
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(
        pool.tenant(&a)
            .execute("insert into by_uuid (x) values (1)", &[])
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        pool.tenant(&a)
            .query("select x from by_uuid", &[])
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        pool.tenant(&b)
            .query("select x from by_uuid", &[])
            .await
            .unwrap()
            .len(),
        0
    );
    assert_eq!(
        pool.tenant(&7_i64)
            .execute("insert into by_number (x) values (1)", &[])
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        pool.tenant(&7_i32)
            .query("select x from by_number", &[])
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        pool.tenant(&-7_i64)
            .query("select x from by_number", &[])
            .await
            .unwrap()
            .len(),
        0
    );
    // A text that is no number cannot be compared: an error, not somebody else's rows.
    pool.tenant("7 or 1=1")
        .query("select x from by_number", &[])
        .await
        .unwrap_err();
}

#[tokio::test]
async fn malformed_names_and_values_are_refused_before_anything_is_sent() {
    for name in ["tenant", "app.", "app.x; drop table y", ""] {
        let built = TenantPool::builder()
            .url("postgres://nobody@127.0.0.1:1/nowhere")
            .tenant_setting(name)
            .build()
            .await;
        assert_eq!(built.unwrap_err().kind(), ErrorKind::Input, "{name:?}");
    }
    assert!(TenantValue::text("").is_err());
    assert!("a\0".as_tenant().is_err());
}
