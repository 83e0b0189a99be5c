//! `--attack twin`: what leaks in the database leaks in its twin, what holds there holds, and of the database nothing is
//! written.

use rls_tool::audit::{Audit, DoorVerdict, Verdict};
use rls_tool::ephemeral::Server;
use tokio_postgres::Client;

use crate::support::{connect, run};

/// A server of the test's own: nobody else writes there. Of the version for which there is a pg_dump, most likely.
async fn own_server() -> Server {
    Server::builder()
        .config("autovacuum", "off")
        .start()
        .await
        .unwrap()
}

/// The next transaction id: whoever writes takes one, whatever becomes of it.
async fn next_id(client: &Client) -> String {
    let sql = "select pg_snapshot_xmax(pg_current_snapshot())::text";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

const ROLES: &str = "
    create role twin_owner nologin;
    create role twin_app login;
    create role twin_group nologin;
    grant twin_group to twin_app;
    alter role twin_app set search_path = shop, public";

const TABLES: &str = "
    create schema shop authorization twin_owner;
    set role twin_owner;
    grant usage on schema shop to twin_app;
    create table shop.orders (id int primary key, tenant_id text not null, note text);
    alter table shop.orders enable row level security, force row level security;
    create policy p on shop.orders using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
    grant select, insert, update, delete on shop.orders to twin_group;
    create function shop.note(p_id int) returns text language sql stable security definer
        set search_path = pg_catalog, pg_temp
        as $$ select note from shop.orders where id = p_id and
              tenant_id = nullif(current_setting('app.current_tenant', true), '') $$;
    insert into shop.orders select 1, 'a', 'first' where set_config('app.current_tenant', 'a', false) = 'a';
    reset role;";

#[tokio::test]
async fn a_leak_is_found_in_the_twin_and_the_database_is_only_read() {
    let server = own_server().await;
    run(&connect(&server.options()).await, ROLES).await;
    run(
        &connect(&server.options()).await,
        "create database shop owner twin_owner",
    )
    .await;
    let options = server.options().with_database("shop");
    let admin = connect(&options).await;
    run(&admin, TABLES).await;

    let audit = Audit::new().role("twin_app");
    let verdict = async |audit: &Audit| {
        let before = next_id(&admin).await;
        let report = audit.run_with_twin(&mut connect(&options).await, &options).await;
        let report = report.unwrap_or_else(|error| panic!("{}", error.chain()));
        assert_eq!(next_id(&admin).await, before, "something was written");
        assert!(report.notes.is_empty(), "{:?}", report.notes);
        assert_eq!(report.origin.attacks, "twin");
        assert!(report.summary.attacks_run > 20, "{:?}", report.summary);
        report
    };
    let report = verdict(&audit).await;
    assert_eq!(report.verdict, Verdict::Isolated, "{:?}", report.doors);
    let undecided = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided);
    assert_eq!(undecided.count(), 0, "{:?}", report.doors);

    // Broken where no proof looks: in the function.
    let sql =
        "create or replace function shop.note(p_id int) returns text language sql stable security definer
        set search_path = pg_catalog, pg_temp
        as $$ select note from shop.orders where id = p_id $$;
        alter function shop.note owner to postgres";
    run(&admin, sql).await;
    let report = verdict(&audit).await;
    let shown = report.findings.iter().any(|finding| {
        finding.check == "function-shows-foreign-rows" && finding.object.to_string().starts_with("shop.note")
    });
    assert!(shown, "{:?}", report.findings);

    // The twin of that: in place the same is found, and transaction ids are taken.
    let before = next_id(&admin).await;
    let report = audit.run(&mut connect(&options).await).await.unwrap();
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.check == "function-shows-foreign-rows")
    );
    assert_ne!(next_id(&admin).await, before);
}
