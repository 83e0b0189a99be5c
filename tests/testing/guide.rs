//! What the README and docs/testing.md show, word for word (tests/docs compares them): migrations and policies are this
//! package's own, the reference schema.

#[rustfmt::skip]
mod readme {
    use rls_tool::testing;

    #[tokio::test]
    async fn tenants_are_isolated() -> anyhow::Result<()> {
        let db = testing::Postgres::start().await?;              // programs on this machine, Docker, or a fetched build
        db.migrate("migrations", "policies").await?;             // or sql_files("…"), or your own migrator
        let report = testing::audit(&db).role("app_user").run().await?;
        testing::assert_isolated(&report);                       // panics with the report, exploit included
        Ok(())
    }
}

#[rustfmt::skip]
mod page {
    use rls_tool::testing::{self, Postgres};

    #[tokio::test]
    async fn tenants_are_isolated() -> anyhow::Result<()> {
        let db = Postgres::builder().role("app_user").start().await?;
        db.create_role("app_user").await?;               // unless your migrations create it
        db.migrate("migrations", "policies").await?;     // V<n>__<name>.sql, then <table>.sql
        let report = testing::audit(&db).run().await?;
        testing::assert_isolated(&report);               // panics with the text report, exploit included
        testing::assert_every_door_decided(&report);
        testing::assert_no_table_left_uncategorised(&db, &[]).await;  // &["public.countries"]: belongs to nobody

        let [a, _b] = db.tenants().await?;               // two tenants with rows in every table
        let session = db.as_tenant(&a).await?;           // logged in as the role, bound to a; a tokio-postgres Client
        session.sees_only("app.processes").await;
        session.cannot_insert("app.processes").await;
        session.cannot_update("app.processes").await;
        session.cannot_delete("app.processes").await;
        db.as_role("app_user").await?.sees_nothing("app.processes").await;
        Ok(())
    }
}
