//! The isolation tests of a crate with its own schema: tenants by UUID, sqlx-style migrations, its own setting and
//! column. In your crate this is `tests/isolation.rs`, and the paths start at your package's folder.

use rls_tool::testing::{self, Postgres};

const ROLE: &str = "board_app";

/// The database of one test: the first test applies the migrations, the others get a copy.
async fn board() -> anyhow::Result<Postgres> {
    let db = Postgres::builder()
        .role(ROLE)
        .tenant_column("organization_id")
        .tenant_setting("app.current_organization")
        .start()
        .await?;
    // The operators create the role; migrations only grant to it.
    db.create_role(ROLE).await?;
    db.sql_files("examples/own_schema/migrations").await?;
    Ok(db)
}

#[tokio::test]
async fn organizations_are_isolated() -> anyhow::Result<()> {
    let db = board().await?;
    let report = testing::audit(&db).run().await?;
    testing::assert_isolated(&report);
    testing::assert_every_door_decided(&report);
    testing::assert_no_table_left_uncategorised(&db, &["public.colours"]).await;
    Ok(())
}

#[tokio::test]
async fn an_organization_sees_and_changes_its_own_board_only() -> anyhow::Result<()> {
    let db = board().await?;
    let [acme, globex] = db.tenants().await?;
    for tenant in [&acme, &globex] {
        let session = db.as_tenant(tenant).await?;
        for table in ["organizations", "projects", "tasks"] {
            session.sees_only(table).await;
        }
    }
    let session = db.as_tenant(&acme).await?;
    for table in ["projects", "tasks"] {
        session.cannot_insert(table).await;
        session.cannot_update(table).await;
        session.cannot_delete(table).await;
    }
    Ok(())
}

#[tokio::test]
async fn nobody_sees_nothing() -> anyhow::Result<()> {
    let db = board().await?;
    db.tenants().await?;
    let session = db.as_role(ROLE).await?;
    for table in ["organizations", "projects", "tasks"] {
        session.sees_nothing(table).await;
    }
    Ok(())
}

/// The application's own code, on rows of its own making.
#[tokio::test]
async fn finished_tasks_are_counted_by_organization() -> anyhow::Result<()> {
    let db = board().await?;
    let [acme, globex] = db.tenants().await?;
    let session = db.as_tenant(&acme).await?;
    session.batch_execute("update tasks set state = 'done'").await?;
    let done = "select count(*) from tasks where state = 'done'";
    let before: i64 = db.as_tenant(&globex).await?.query_one(done, &[]).await?.get(0);
    session.batch_execute("update tasks set state = 'done'").await?;
    let after: i64 = db.as_tenant(&globex).await?.query_one(done, &[]).await?.get(0);
    assert_eq!(before, after);
    Ok(())
}
