//! A transaction sees its tenant's rows and no others, whatever it uses to look, and binds nothing beyond its end.

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use postgres_types::Type;
use rls_tool::session::{SessionConfig, Statements};
use rls_tool::{ErrorKind, TenantSession};

use crate::shop::{NAMES, Shop, texts};

#[tokio::test]
async fn each_tenant_sees_its_own_rows() {
    let shop = Shop::open("bound_own").await;
    let pool = shop.pool(1).await;
    for statements in [Statements::Named, Statements::Unnamed] {
        let pool = shop
            .pool_with(1, SessionConfig::new().statements(statements))
            .await;
        for _ in 0..2 {
            let rows = pool.tenant(&shop.a).query(NAMES, &[]).await.unwrap();
            assert_eq!(texts(&rows), ["a1", "a2"]);
            let rows = pool.tenant(&shop.b).query(NAMES, &[]).await.unwrap();
            assert_eq!(texts(&rows), ["b1"]);
        }
    }
    drop(pool);
}

#[tokio::test]
async fn twin_a_session_set_through_a_shared_connection_leaks() {
    let shop = Shop::open("bound_twin").await;
    let raw = shop.raw().await;
    raw.batch_execute(&format!("set app.current_tenant = '{}'", shop.a))
        .await
        .unwrap();
    // The next user of this connection forgot to bind: it sees tenant A.
    assert_eq!(texts(&raw.query(NAMES, &[]).await.unwrap()), ["a1", "a2"]);
}

#[tokio::test]
async fn everything_that_a_transaction_offers_is_bound() {
    let shop = Shop::open("bound_all").await;
    let pool = shop.pool(1).await;
    let mut tx = pool.tenant(&shop.a).begin().await.unwrap();

    assert_eq!(texts(&tx.query(NAMES, &[]).await.unwrap()), ["a1", "a2"]);
    let prepared = tx
        .prepare("select name from app.processes where name = $1")
        .await
        .unwrap();
    assert!(tx.query_opt(&prepared, &[&"b1"]).await.unwrap().is_none());
    assert_eq!(
        tx.query_one(&prepared, &[&"a1"]).await.unwrap().get::<_, &str>(0),
        "a1"
    );
    let typed: &[(&(dyn postgres_types::ToSql + Sync), Type)] = &[(&"b1", Type::TEXT)];
    let sql = "select name from app.processes where name = $1";
    assert!(tx.query_typed(sql, typed).await.unwrap().is_empty());
    let rows: Vec<_> = tx
        .query_raw(NAMES, &[])
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(texts(&rows), ["a1", "a2"]);

    let portal = tx
        .bind(
            "select name from app.processes where name > $1 order by name",
            &[&"a"],
        )
        .await
        .unwrap();
    assert_eq!(texts(&tx.query_portal(&portal, 1).await.unwrap()), ["a1"]);
    assert_eq!(texts(&tx.query_portal(&portal, 0).await.unwrap()), ["a2"]);

    let data: Vec<Bytes> = tx
        .copy_out("copy (select name from app.processes order by name) to stdout")
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(data.concat(), b"a1\na2\n");
    let mut sink = tx.copy_in("copy public.notes from stdin").await.unwrap();
    sink.send(Bytes::from_static(b"1\tone\n")).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), 1);

    assert_eq!(
        tx.execute("update app.processes set name = 'x' where name = 'b1'", &[])
            .await
            .unwrap(),
        0
    );
    tx.batch_execute("update app.processes set description = 'mine'; select 1")
        .await
        .unwrap();

    let nested = tx.savepoint().await.unwrap();
    assert_eq!(nested.execute("delete from app.processes", &[]).await.unwrap(), 2);
    drop(nested);
    assert_eq!(texts(&tx.query(NAMES, &[]).await.unwrap()), ["a1", "a2"]);
    let mut nested = tx.savepoint().await.unwrap();
    nested
        .execute("update app.processes set name = 'a3' where name = 'a2'", &[])
        .await
        .unwrap();
    let inner = nested.savepoint().await.unwrap();
    inner.query("select 1/0", &[]).await.unwrap_err();
    inner.rollback().await.unwrap();
    nested.commit().await.unwrap();
    tx.commit().await.unwrap();

    let rows = pool
        .tenant(&shop.a)
        .query("select description from app.processes", &[])
        .await
        .unwrap();
    assert_eq!(texts(&rows), ["mine", "mine"]);
    let row = pool
        .tenant(&shop.b)
        .query_one("select name, description from app.processes", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "b1");
    assert_eq!(row.get::<_, Option<&str>>(1), None);
}

#[tokio::test]
async fn a_foreign_row_is_refused_with_table_and_tenant() {
    let shop = Shop::open("bound_foreign").await;
    let pool = shop.pool(1).await;
    let sql = "insert into app.processes (tenant_id, name) values ($1, 'planted')";
    let error = pool.tenant(&shop.a).execute(sql, &[&shop.b]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RowSecurity);
    let message = error.to_string();
    assert!(
        message.contains("\"processes\"") && message.contains(&shop.a.to_string()),
        "{message}"
    );
    // Twin: the same statement as the other tenant works.
    assert_eq!(pool.tenant(&shop.b).execute(sql, &[&shop.b]).await.unwrap(), 1);
}

#[tokio::test]
async fn statements_that_leave_the_transaction_are_refused() {
    let shop = Shop::open("bound_leave").await;
    let pool = shop.pool(1).await;
    for sql in [
        "commit",
        "rollback",
        "set role app_owner",
        "set app.current_tenant = 'x'",
        "reset all",
    ] {
        let error = pool.tenant(&shop.a).execute(sql, &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{sql}");
        let tx = pool.tenant(&shop.a).begin().await.unwrap();
        let error = tx.batch_execute(&format!("select 1; {sql}")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{sql}");
        // Refused before it was sent: the transaction is as good as before.
        assert_eq!(tx.query(NAMES, &[]).await.unwrap().len(), 2);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_that_unbinds_the_tenant_breaks_its_transaction() {
    let shop = Shop::open("bound_escape").await;
    let pool = shop.pool(1).await;
    let tx = pool.tenant(&shop.a).begin().await.unwrap();
    tx.execute("update app.processes set name = 'lost' where name = 'a1'", &[])
        .await
        .unwrap();
    let escape = format!("select set_config('app.current_tenant', '{}', true)", shop.b);
    let error = tx.batch_execute(&escape).await.unwrap_err();
    assert!(error.to_string().contains("no longer bound"), "{}", error.chain());
    tx.query(NAMES, &[]).await.unwrap_err();
    tx.commit().await.unwrap_err();
    assert_eq!(
        texts(&pool.tenant(&shop.a).query(NAMES, &[]).await.unwrap()),
        ["a1", "a2"]
    );
}

#[tokio::test]
async fn settings_and_role_last_for_the_transaction_alone() {
    let shop = Shop::open("bound_settings").await;
    let pool = shop.pool(1).await;
    let sql = "select current_setting('app.current_user', true), current_setting('app.current_tenant', true), \
               current_setting('transaction_read_only'), current_setting('statement_timeout')";
    let row = pool
        .tenant(&shop.a)
        .setting("app.current_user", "o'neill\n\\")
        .read_only()
        .statement_timeout(std::time::Duration::from_millis(1500))
        .query_one(sql, &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "o'neill\n\\");
    assert_eq!(row.get::<_, &str>(1), shop.a.to_string());
    assert_eq!((row.get::<_, &str>(2), row.get::<_, &str>(3)), ("on", "1500ms"));
    let row = pool.tenant(&shop.b).query_one(sql, &[]).await.unwrap();
    assert_eq!(
        (
            row.get::<_, &str>(0),
            row.get::<_, &str>(2),
            row.get::<_, &str>(3)
        ),
        ("", "off", "0")
    );
    for (name, value) in [
        ("plain", "x"),
        ("app.current_tenant", "x"),
        ("app.x", "a\0b"),
        ("app.x;y", ""),
    ] {
        let error = pool
            .tenant(&shop.a)
            .setting(name, value)
            .query("select 1", &[])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{name}");
    }
}

#[tokio::test]
async fn a_client_of_ones_own_serves_one_transaction_after_the_other() {
    let shop = Shop::open("bound_client").await;
    let mut raw = shop.raw().await;
    {
        let session = TenantSession::over(&mut raw, SessionConfig::new()).await.unwrap();
        let tx = session.tenant(&shop.a).begin().await.unwrap();
        tx.execute("update app.processes set name = 'gone' where name = 'a1'", &[])
            .await
            .unwrap();
        // A second transaction waits for its turn.
        let second = session.tenant(&shop.b);
        let second = second.query(NAMES, &[]);
        tokio::pin!(second);
        let early = tokio::time::timeout(std::time::Duration::from_millis(50), second.as_mut()).await;
        assert!(early.is_err());
        drop(tx);
        assert_eq!(texts(&second.await.unwrap()), ["b1"]);
        assert_eq!(
            texts(&session.tenant(&shop.a).query(NAMES, &[]).await.unwrap()),
            ["a1", "a2"]
        );
    }
    // And afterwards nothing is bound.
    assert!(raw.query(NAMES, &[]).await.unwrap().is_empty());
}
