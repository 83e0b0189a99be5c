//! `rls-tool test`: tests in SQL that pass on a good schema, fail on a sabotaged one, and fail where they expect what is
//! not so.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::process::Command;

use rls_tool::testing::Postgres;

const ROLE: &str = "testing_shop";

async fn shop() -> Postgres {
    let db = Postgres::builder().role(ROLE).start().await.unwrap();
    db.create_role(ROLE).await.unwrap();
    db.sql_files("tests/testing/shop.sql").await.unwrap();
    db
}

/// Exit status, stdout, stderr.
fn tool(db: &Postgres, arguments: &[&str]) -> (Option<i32>, String, String) {
    let options = db.superuser_options();
    let port = options.config().get_ports()[0];
    let output = Command::new(env!("CARGO_BIN_EXE_rls-tool"))
        .arg("test")
        .args(arguments)
        .args([
            "--database-url",
            &format!("postgres://postgres@127.0.0.1:{port}/{}", db.name()),
        ])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn failed(tap: &str) -> Vec<&str> {
    tap.lines().filter(|line| line.starts_with("not ok")).collect()
}

#[tokio::test]
async fn an_intact_schema_passes_and_nothing_is_left() {
    let db = shop().await;
    let (status, tap, errors) = tool(&db, &["tests/sqltest/passing", "--role", ROLE]);
    assert_eq!(status, Some(0), "{tap}{errors}");
    assert!(
        tap.starts_with("TAP version 14\n1..11\nok 1 - orders: a tenant sees its own orders\n"),
        "{tap}"
    );
    assert_eq!(
        tap.lines().filter(|line| line.starts_with("ok ")).count(),
        11,
        "{tap}"
    );
    let admin = db.superuser().await.unwrap();
    let sql = "select (select count(*) from shop.orders) + (select count(*) from shop.tenants)";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn the_guides_example_passes() {
    let page = std::fs::read_to_string("docs/testing.md").unwrap();
    let (_, rest) = page
        .split_once("runs it with rls-tool test -->\n```sql\n")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("guide.sql"), rest.split("```").next().unwrap()).unwrap();
    let db = shop().await;
    let sql = format!(
        "create table public.plans (name text, price numeric(5, 2));
         insert into public.plans values ('pro', null), ('basic', 10);
         create table public.invoices (tenant_id uuid not null references shop.tenants, total integer);
         alter table public.invoices enable row level security;
         create policy own on public.invoices using (tenant_id = shop.tenant());
         grant usage on schema public to {ROLE};
         grant select, insert on public.plans, public.invoices to {ROLE};"
    );
    db.superuser().await.unwrap().batch_execute(&sql).await.unwrap();
    let (status, tap, errors) = tool(&db, &[folder.path().to_str().unwrap(), "--role", ROLE]);
    assert_eq!(status, Some(0), "{tap}{errors}");
    assert!(tap.contains("1..3\n"), "{tap}");
}

#[tokio::test]
async fn sabotage_fails_the_tests_that_are_about_it() {
    let db = shop().await;
    let owner = db.owner().await.unwrap();
    owner
        .batch_execute("create policy open on shop.orders for select using (true)")
        .await
        .unwrap();
    let (status, tap, _) = tool(&db, &["tests/sqltest/passing/orders.sql", "--role", ROLE]);
    assert_eq!(status, Some(1), "{tap}");
    let failures = failed(&tap).join("\n");
    assert!(
        failures.contains("and no others") && failures.contains("nobody sees nothing"),
        "{tap}"
    );
    assert!(!failures.contains("no order for somebody else"), "{tap}");
    assert!(tap.contains("at: tests/sqltest/passing/orders.sql:"), "{tap}");
}

#[tokio::test]
async fn every_expectation_can_fail() {
    let db = shop().await;
    let (status, tap, errors) = tool(&db, &["tests/sqltest/failing", "--role", ROLE]);
    assert_eq!(status, Some(1), "{errors}");
    let count = std::fs::read_to_string("tests/sqltest/failing/wrong.sql")
        .unwrap()
        .matches("-- test:")
        .count();
    assert_eq!(failed(&tap).len(), count, "{tap}");
}

#[tokio::test]
async fn tenants_that_are_there_can_be_named() {
    let db = shop().await;
    let [a, b] = db.tenants().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.sql");
    std::fs::write(
        &file,
        "-- test: own\n-- as: B\n-- expect: 1 row\nselect id from shop.tenants where id = :'B'\n",
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let arguments = [path, "--role", ROLE, "--tenant-a", a.id(), "--tenant-b", b.id()];
    let (status, tap, errors) = tool(&db, &arguments);
    assert_eq!(status, Some(0), "{tap}{errors}");
    // Without them others are made, in the same database.
    let (status, tap, errors) = tool(&db, &[path, "--role", ROLE]);
    assert_eq!(status, Some(0), "{tap}{errors}");
}

#[tokio::test]
async fn junit_says_the_same() {
    let db = shop().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xml");
    let (status, out, errors) = tool(
        &db,
        &[
            "tests/sqltest/failing",
            "--role",
            ROLE,
            "--format",
            "junit",
            "--output",
            path.to_str().unwrap(),
        ],
    );
    assert_eq!((status, out.as_str()), (Some(1), ""), "{errors}");
    let xml = std::fs::read_to_string(path).unwrap();
    let count = std::fs::read_to_string("tests/sqltest/failing/wrong.sql")
        .unwrap()
        .matches("-- test:")
        .count();
    assert!(
        xml.contains(&format!("tests=\"{count}\"")) && xml.contains(&format!("failures=\"{count}\"")),
        "{xml}"
    );
    assert!(xml.contains("a misspelt table is no refusal"), "{xml}");
}

#[tokio::test]
async fn what_cannot_be_run_is_exit_2() {
    let db = shop().await;
    let empty = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (
            vec![empty.path().to_str().unwrap(), "--role", ROLE],
            "there is no test",
        ),
        (vec!["no/such/folder", "--role", ROLE], "no/such/folder"),
        (
            vec!["tests/sqltest/passing", "--role", "postgres"],
            "row security does not hold postgres",
        ),
        (
            vec!["tests/sqltest/passing", "--role", "nobody_at_all"],
            "nobody_at_all",
        ),
        (
            vec!["tests/sqltest/passing", "--role", ROLE, "--tenant-a", "x"],
            "--tenant-b",
        ),
    ] {
        let (status, out, errors) = tool(&db, &arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {out}{errors}");
        assert!(errors.contains(words), "{errors}");
    }
    // A setup that fails is no failing test.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("setup.sql"), "select from nowhere;").unwrap();
    std::fs::write(
        folder.path().join("a.sql"),
        "-- test: a\n-- expect: 1 row\nselect 1\n",
    )
    .unwrap();
    let (status, _, errors) = tool(&db, &[folder.path().to_str().unwrap(), "--role", ROLE]);
    assert_eq!(status, Some(2));
    assert!(
        errors.contains("setup.sql") && errors.contains("nowhere"),
        "{errors}"
    );
}
