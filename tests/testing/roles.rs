//! Nobody is handed a superuser as the application.

use rls_tool::testing::Postgres;
use rls_tool::{ErrorKind, TenantPool};

use crate::shop::{ROLE, shop};

#[tokio::test]
async fn a_role_is_logged_in_as_itself_and_row_security_holds_it() {
    let db = shop("itself").await;
    let client = db.as_role(ROLE).await.unwrap();
    let sql = "select session_user::text, current_user::text, row_security_active('shop.orders')";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (ROLE, ROLE, true));
    // No way back to somebody else, as there would be behind SET ROLE.
    client
        .batch_execute("reset role; reset session authorization")
        .await
        .unwrap();
    let row = client.query_one("select current_user::text", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), ROLE);
}

#[tokio::test]
async fn superusers_and_bypassrls_are_refused() {
    let db = shop("refused").await;
    let admin = db.superuser().await.unwrap();
    admin
        .batch_execute("create role testing_bypass login bypassrls; create role testing_nologin")
        .await
        .unwrap();
    for (role, kind, words) in [
        ("postgres", ErrorKind::UnsafeRole, "superuser"),
        ("testing_bypass", ErrorKind::UnsafeRole, "BYPASSRLS"),
        ("testing_nologin", ErrorKind::Input, "may not log in"),
        ("testing_nobody", ErrorKind::Input, "there is no role"),
    ] {
        let error = db.as_role(role).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{role}");
        assert!(error.chain().contains(words), "{}", error.chain());
        assert!(db.url_as(role).await.is_err(), "{role}");
        assert!(error.help().is_some());
    }
    // What is there with too much power is not taken for the application's role either.
    assert_eq!(
        db.create_role("testing_bypass").await.unwrap_err().kind(),
        ErrorKind::UnsafeRole
    );
}

#[tokio::test]
async fn the_owner_is_no_superuser_unless_it_is_asked_for() {
    let sql = "select rolsuper, (select pg_get_userbyid(datdba) = current_user from pg_database \
               where datname = current_database()) from pg_roles where rolname = current_user";
    for (asked, expected) in [(false, false), (true, true)] {
        let db = Postgres::builder()
            .superuser_migrations(asked)
            .start()
            .await
            .unwrap();
        let row = db.owner().await.unwrap().query_one(sql, &[]).await.unwrap();
        assert_eq!((row.get(0), row.get(1)), (expected, true));
    }
}

#[tokio::test]
async fn the_same_role_is_made_by_many_tests_at_once() {
    let tests = (0..6).map(|_| async {
        let db = Postgres::start().await.unwrap();
        db.create_role("testing_at_once").await.unwrap();
        db.as_role("testing_at_once").await.unwrap();
    });
    futures_util::future::join_all(tests).await;
}

#[tokio::test]
async fn a_migration_that_makes_a_role_again_says_what_to_do() {
    let sql = "create role testing_again";
    let db = Postgres::start().await.unwrap();
    let migrate = async |name: &str| {
        db.migrate_with(name, async |client: &mut tokio_postgres::Client| {
            client.batch_execute(sql).await
        })
        .await
    };
    migrate("first").await.unwrap();
    let error = migrate("again").await.unwrap_err();
    assert!(error.help().unwrap().contains("db.create_role"), "{error:?}");
}

#[tokio::test]
async fn an_application_with_its_own_pool_works_on_it() {
    let db = shop("pool").await;
    let [a, b] = db.tenants().await.unwrap();
    let pool = TenantPool::builder()
        .url(db.url_as(ROLE).await.unwrap())
        .build()
        .await
        .unwrap();
    let sql = "select count(*), count(*) filter (where tenant_id::text <> $1) from shop.orders";
    for tenant in [&a, &b] {
        let row = pool.tenant(tenant).query_one(sql, &[&tenant.id()]).await.unwrap();
        assert!(row.get::<_, i64>(0) > 0 && row.get::<_, i64>(1) == 0);
    }
}
