//! A database a test: apart from the others, copied from a template, gone at the end.

use std::time::Instant;

use rls_tool::ErrorKind;
use rls_tool::testing::{Postgres, server};

use crate::shop::{ROLE, shop};

async fn exists(name: &str) -> bool {
    let client = server().await.unwrap().options().connect().await.unwrap();
    let sql = "select count(*) from pg_database where datname = $1";
    client.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0) > 0
}

async fn count(db: &Postgres, sql: &str) -> i64 {
    db.superuser()
        .await
        .unwrap()
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn tests_do_not_see_each_others_rows_and_the_second_copy_is_fast() {
    let first = shop("first").await;
    let owner = first.owner().await.unwrap();
    owner
        .batch_execute("insert into shop.countries values ('XX', 'only here')")
        .await
        .unwrap();
    let start = Instant::now();
    let second = shop("second").await;
    drop(second.owner().await.unwrap());
    println!("a further database: {:?}", start.elapsed());
    let sql = "select count(*) from shop.countries";
    assert_eq!(count(&first, sql).await, 3);
    assert_eq!(count(&second, sql).await, 2);
}

#[tokio::test]
async fn a_database_is_dropped_also_when_its_test_panics() {
    let db = Postgres::start().await.unwrap();
    let name = db.name().to_owned();
    // A connection that nobody closes is no obstacle.
    let client = db.superuser().await.unwrap();
    assert!(exists(&name).await);
    let panicked = tokio::spawn(async move {
        let _db = db;
        panic!("as the test wants it");
    })
    .await;
    assert!(panicked.is_err());
    assert!(!exists(&name).await);
    assert!(client.query_one("select 1", &[]).await.is_err());
}

#[tokio::test]
async fn layers_are_copied_one_on_the_other() {
    let more = "create table public.more (id int)";
    let with_more = async |hint: &str| {
        let db = shop(hint).await;
        db.migrate_with("more", async |client: &mut tokio_postgres::Client| {
            client.batch_execute(more).await
        })
        .await
        .unwrap();
        db
    };
    let one = with_more("one").await;
    let two = with_more("two").await;
    let plain = shop("plain").await;
    let sql = "select count(*) from pg_class where relname in ('more', 'orders')";
    assert_eq!(
        [
            count(&one, sql).await,
            count(&two, sql).await,
            count(&plain, sql).await
        ],
        [2, 2, 1]
    );
}

/// What somebody did to the database before is not thrown away by a copy.
#[tokio::test]
async fn a_database_that_was_used_is_migrated_where_it_is() {
    let db = Postgres::start().await.unwrap();
    db.create_role(ROLE).await.unwrap();
    let owner = db.owner().await.unwrap();
    owner
        .batch_execute("create table mine as select 7 as seven")
        .await
        .unwrap();
    db.sql_files(crate::shop::SCHEMA).await.unwrap();
    assert_eq!(count(&db, "select count(*) from mine").await, 1);
    assert_eq!(count(&db, "select count(*) from shop.countries").await, 2);
}

/// `CREATE DATABASE … TEMPLATE` copies neither settings nor grants of the database.
#[tokio::test]
async fn the_databases_own_settings_and_grants_are_copied_too() {
    let make = async || {
        // As superuser: others may not set a setting that no extension knows.
        let db = Postgres::builder()
            .superuser_migrations(true)
            .start()
            .await
            .unwrap();
        db.create_role("testing_settings").await.unwrap();
        db.migrate_with("settings", async |client: &mut tokio_postgres::Client| {
            client
                .batch_execute(
                    "do $$ declare d text := current_database(); begin
                       execute format('alter database %I set app.words = ''it''''s'' ', d);
                       execute format('alter role testing_settings in database %I set search_path = a, \"B c\"', d);
                       execute format('revoke temporary on database %I from public', d);
                     end $$",
                )
                .await
        })
        .await
        .unwrap();
        db
    };
    for db in [make().await, make().await] {
        let client = db.as_role("testing_settings").await.unwrap();
        let sql = "select current_setting('app.words'), current_setting('search_path'), \
                   has_database_privilege(current_database(), 'temporary'), \
                   has_database_privilege(current_database(), 'connect')";
        let row = client.query_one(sql, &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "it's");
        assert_eq!(row.get::<_, &str>(1), "a, \"B c\"");
        assert!(!row.get::<_, bool>(2) && row.get::<_, bool>(3));
    }
}

#[tokio::test]
async fn a_mistake_in_a_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("10_b.sql"),
        "select 1;\nselect from nowhere;\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("2_a.sql"), "create table a ();\n").unwrap();
    std::fs::write(folder.path().join("2_a.down.sql"), "drop table a;\n").unwrap();
    let db = Postgres::start().await.unwrap();
    let error = db.sql_files(folder.path()).await.unwrap_err();
    assert!(error.chain().contains("10_b.sql, line 2"), "{}", error.chain());
    assert!(error.chain().contains("nowhere"), "{}", error.chain());
    // The next one tries again instead of copying something unfinished.
    std::fs::write(folder.path().join("10_b.sql"), "create table b ();\n").unwrap();
    db.sql_files(folder.path()).await.unwrap();
    let sql = "select count(*) from pg_class where relname in ('a', 'b') and relkind = 'r'";
    assert_eq!(count(&db, sql).await, 2);
}

#[tokio::test]
async fn files_that_are_not_there_are_an_error() {
    let db = Postgres::start().await.unwrap();
    let error = db.sql_files("tests/testing/no_such_file.sql").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.chain().contains("no_such_file.sql"), "{}", error.chain());
    let error = db.migrate("tests/testing/nothing", "policies").await.unwrap_err();
    assert!(
        error.chain().contains("tests/testing/nothing"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn migrations_and_policies_are_applied_as_the_tool_does() {
    let db = Postgres::builder().role("app_user").start().await.unwrap();
    db.migrate("migrations", "policies")
        .await
        .unwrap_or_else(|e| panic!("{}", e.chain()));
    let history = "select count(*) from refinery_schema_history";
    assert!(count(&db, history).await > 5);
    let twin = Postgres::start().await.unwrap();
    twin.migrate("migrations", "policies").await.unwrap();
    assert_eq!(count(&twin, history).await, count(&db, history).await);
}
