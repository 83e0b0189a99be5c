//! What the policy costs: PostgreSQL serves a tenant's queries from indexes that lead with the tenant.

use serde_json::Value;
use tokio_postgres::Client;

use crate::support::run;
use crate::world::World;

/// 300 tenants with 60 rows each where it matters.
const VOLUME: &str = include_str!("volume.sql");

/// The relation that a query is about, and the query: what an application asks.
const QUERIES: &[(&str, &str)] = &[
    (
        "users",
        "select * from app.users where id = 'usr_01h455vb4pex5vsknk084sn02q'",
    ),
    ("users", "select * from app.users where email = '7@example.com'"),
    ("users", "select count(*) from app.users"),
    ("users", "select * from app.users order by id limit 20"),
    (
        "users",
        "update app.users set name = 'x' where id = 'usr_01h455vb4pex5vsknk084sn02q'",
    ),
    (
        "users",
        "delete from app.users where id = 'usr_01h455vb4pex5vsknk084sn02q'",
    ),
    (
        "users",
        "select * from app.sessions s join app.users u on u.id = s.user_id where s.token_hash = sha256('x')",
    ),
    (
        "call_logs",
        "select * from app.call_logs where created_at > now() - interval '1 hour' order by created_at limit 50",
    ),
    (
        "call_logs",
        "select * from app.call_logs where input_hash = sha256('7')",
    ),
    (
        "response_caches",
        "select output from app.response_caches where input_hash = sha256('7') and expires_at > now()",
    ),
];

/// The scans of a plan on one relation or its partitions: (node type, index condition).
fn scans(plan: &Value, relation: &str, found: &mut Vec<(String, String)>) {
    let text = |key: &str| plan[key].as_str().unwrap_or_default().to_owned();
    let node = text("Node Type");
    let scanned = text("Relation Name");
    if node.contains("Scan") && (scanned == relation || scanned.starts_with(&format!("{relation}_2"))) {
        let condition = if node == "Bitmap Heap Scan" {
            plan["Plans"][0]["Index Cond"].as_str()
        } else {
            None
        };
        found.push((node, condition.map_or_else(|| text("Index Cond"), str::to_owned)));
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        scans(child, relation, found);
    }
}

async fn explain(client: &Client, statement: &str, relation: &str) -> Vec<(String, String)> {
    let rows = client
        .query(&format!("explain (format json) {statement}"), &[])
        .await
        .unwrap();
    let mut found = Vec::new();
    scans(&rows[0].get::<_, Value>(0)[0]["Plan"], relation, &mut found);
    assert!(!found.is_empty(), "{statement}: {rows:?}");
    found
}

fn served_by_tenant(scans: &[(String, String)]) -> bool {
    scans
        .iter()
        .any(|(_, condition)| condition.contains("tenant_id ="))
        && scans.iter().all(|(node, _)| node != "Seq Scan")
}

#[tokio::test]
async fn a_tenants_queries_are_served_by_an_index_on_the_tenant() {
    let world = World::new("plans").await;
    run(&world.admin, VOLUME).await;
    run(&world.admin, "vacuum analyze app.users").await;
    run(&world.admin, "analyze").await;
    world.bind(world.a.id()).await;
    for mode in ["force_custom_plan", "force_generic_plan"] {
        run(&world.app, &format!("set local plan_cache_mode = {mode}")).await;
        for (relation, query) in QUERIES {
            run(&world.app, &format!("prepare q as {query}")).await;
            let found: Vec<_> = explain(&world.app, "execute q", relation).await;
            // Empty partitions are read as a whole: that is one page at most.
            let found: Vec<_> = if *relation == "call_logs" {
                found.into_iter().filter(|(node, _)| node != "Seq Scan").collect()
            } else {
                found
            };
            assert!(served_by_tenant(&found), "{mode}: {query}: {found:?}");
            run(&world.app, "deallocate q").await;
        }
    }
    run(&world.app, "rollback").await;

    // The twin: a policy that says the same in a form that no index serves.
    let slow = "alter policy tenant_isolation on app.users
                using (tenant_id || '' = nullif(current_setting('app.current_tenant', true), ''))";
    run(&world.admin, slow).await;
    world.bind(world.a.id()).await;
    let found = explain(&world.app, QUERIES[2].1, "users").await;
    assert!(!served_by_tenant(&found), "{found:?}");
}

#[tokio::test]
async fn lookups_and_purges_are_served_by_indexes_of_their_own() {
    let world = World::new("plans_lookup").await;
    run(&world.admin, VOLUME).await;
    run(&world.admin, "analyze").await;
    let queries = [
        (
            "app_lookup",
            "users",
            "select id from app.users where email = '7@example.com'",
            "email",
        ),
        (
            "app_lookup",
            "sessions",
            "select tenant_id from app.sessions where token_hash = sha256('7')",
            "token_hash",
        ),
        (
            "app_maintenance",
            "response_caches",
            "delete from app.response_caches where expires_at <= now()",
            "expires_at",
        ),
    ];
    for (role, relation, query, column) in queries {
        run(&world.admin, &format!("begin; set local role {role}")).await;
        let found = explain(&world.admin, query, relation).await;
        run(&world.admin, "rollback").await;
        assert!(
            found.iter().all(|(_, condition)| condition.contains(column)),
            "{query}: {found:?}"
        );
    }
}
