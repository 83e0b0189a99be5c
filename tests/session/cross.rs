//! Work across tenants needs its own role and a reason, and leaves a record whatever becomes of it.

use rls_tool::session::CrossTenantPool;
use rls_tool::{ErrorKind, TenantPool};

use crate::shop::{NAMES, Shop, texts};
use crate::support::run;

/// A login role of this database alone, that sees every tenant's processes by a policy of its own.
async fn janitor(shop: &Shop) -> String {
    let admin = shop.database.admin().await;
    let name: String = admin
        .query_one("select 'janitor_' || current_database()", &[])
        .await
        .unwrap()
        .get(0);
    run(
        &admin,
        &format!(
            "create role {name} login;
             grant usage on schema app to {name};
             grant select on app.processes to {name};
             create policy janitor on app.processes for select to {name} using (true);
             create schema ops;
             create table ops.log (reason text, role text, at timestamptz default now());
             grant usage on schema ops to {name};
             grant insert on ops.log to {name};"
        ),
    )
    .await;
    name
}

async fn drop_janitor(shop: &Shop, name: &str) {
    let admin = shop.database.admin().await;
    let sql = format!("drop policy janitor on app.processes; drop owned by {name}; drop role {name}");
    run(&admin, &sql).await;
}

#[tokio::test]
async fn a_reason_is_needed_logged_and_kept() {
    let shop = Shop::open("cross").await;
    let janitor = janitor(&shop).await;
    let admin = shop.database.admin().await;
    let describe = || {
        TenantPool::builder()
            .options(shop.database.options().as_role(&janitor, None))
            .max_size(1)
    };
    let cross = CrossTenantPool::builder(describe())
        .audit_table("ops", "log")
        .build()
        .await
        .unwrap();
    for refused in ["", " \n", "a\0b"] {
        assert_eq!(
            cross.because(refused).unwrap_err().kind(),
            ErrorKind::Input,
            "{refused:?}"
        );
    }
    let scope = cross.because("nightly report, job 7").unwrap();
    assert_eq!(texts(&scope.query(NAMES, &[]).await.unwrap()), ["a1", "a2", "b1"]);
    let sql = "select current_setting('rls_tool.cross_tenant_reason'), current_setting('app.current_tenant')";
    let tx = cross
        .because("it's \\ odd")
        .unwrap()
        .read_only()
        .begin()
        .await
        .unwrap();
    let row = tx.query_one(sql, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1)),
        ("it's \\ odd", "")
    );
    drop(tx);
    // What it may not do, it may not do with a reason either.
    let error = scope.execute("delete from app.processes", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    let log = admin
        .query("select reason, role from ops.log order by at", &[])
        .await
        .unwrap();
    assert_eq!(
        texts(&log),
        ["nightly report, job 7", "it's \\ odd", "nightly report, job 7"]
    );
    assert!(log.iter().all(|row| row.get::<_, &str>(1) == janitor));
    // No record, no work.
    run(&admin, &format!("revoke insert on ops.log from {janitor}")).await;
    let error = scope.query(NAMES, &[]).await.unwrap_err();
    assert!(error.to_string().contains("not begun"), "{}", error.chain());
    drop(cross);
    drop_janitor(&shop, &janitor).await;
}

#[tokio::test]
async fn the_reason_opens_nothing_for_the_applications_role() {
    let shop = Shop::open("cross_app").await;
    let pool = shop.pool(1).await;
    let scope = pool
        .tenant(&shop.a)
        .setting("rls_tool.cross_tenant_reason", "let me in");
    assert_eq!(texts(&scope.query(NAMES, &[]).await.unwrap()), ["a1", "a2"]);
    let options = shop.database.options().as_role("app_user", None);
    let cross = CrossTenantPool::builder(TenantPool::builder().options(options))
        .build()
        .await
        .unwrap();
    let rows = cross
        .because("wrong role")
        .unwrap()
        .query(NAMES, &[])
        .await
        .unwrap();
    assert!(rows.is_empty(), "the tenant's role sees nothing across tenants");
}
