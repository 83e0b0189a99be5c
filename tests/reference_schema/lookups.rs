//! The lookup functions: they find what is live and nothing else, return ids and nothing else, and no caller's
//! search_path or temporary table changes what they read.

use rls_tool::id::TypeId;
use tokio_postgres::Client;

use crate::support::run;
use crate::world::World;

/// Each function, called with what finds a row of `World`, and the id that it returns besides the tenant's.
const LOOKUPS: &[(&str, &str, &str)] = &[
    ("find_api_key", "app.find_api_key(sha256('same'))", "api_keys"),
    ("find_session", "app.find_session(sha256('same'))", "users"),
    ("find_logins", "app.find_logins('Same@Example.com')", "users"),
    ("find_account", "app.find_account('github', 'same')", "users"),
    (
        "find_verification_token",
        "app.find_verification_token('same@example.com', sha256('same'))",
        "verification_tokens",
    ),
];

/// What a call returns: (id, tenant id), by tenant.
async fn call(client: &Client, call: &str) -> Vec<(String, String)> {
    let rows = client
        .query(&format!("select * from {call} order by 2"), &[])
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// A world whose secrets differ between the tenants: `b`'s rows no longer share theirs with `a`.
async fn distinct_world(hint: &str) -> World {
    let world = World::new(hint).await;
    let b = world.b.id();
    for change in [
        "api_keys set key_hash = sha256('b')",
        "sessions set token_hash = sha256('b')",
        "users set email = 'b@example.com'",
        "accounts set provider_account_id = 'b'",
        "verification_tokens set token_hash = sha256('b')",
    ] {
        run(
            &world.admin,
            &format!("update app.{change} where tenant_id = '{b}'"),
        )
        .await;
    }
    world
}

#[tokio::test]
async fn each_finds_its_row_without_a_tenant_and_returns_ids_only() {
    let world = distinct_world("lookup").await;
    for (name, sql, table) in LOOKUPS {
        let expected = vec![(world.a.row(table).to_owned(), world.a.id().to_owned())];
        assert_eq!(call(&world.app, sql).await, expected, "{name}");
        for value in [&expected[0].0, &expected[0].1] {
            value.parse::<TypeId>().unwrap();
        }
        let row = world
            .app
            .query_one(&format!("select * from {sql}"), &[])
            .await
            .unwrap();
        assert!(
            row.columns().iter().all(|column| column.name().ends_with("_id")),
            "{name}: {:?}",
            row.columns()
        );
        assert_eq!(row.columns().len(), 2, "{name}");
    }
    // Not by any other path: what the functions read is closed to their callers.
    assert_eq!(
        world
            .app
            .query("select from app.api_keys", &[])
            .await
            .unwrap()
            .len(),
        0
    );
}

#[tokio::test]
async fn a_login_of_two_tenants_is_found_in_both() {
    let world = World::new("lookup_both").await;
    let mut expected = vec![
        (world.a.row("users").to_owned(), world.a.id().to_owned()),
        (world.b.row("users").to_owned(), world.b.id().to_owned()),
    ];
    expected.sort_by(|one, two| one.1.cmp(&two.1));
    for name in ["find_logins", "find_account"] {
        let (_, sql, _) = LOOKUPS.iter().find(|lookup| lookup.0 == name).unwrap();
        assert_eq!(call(&world.app, sql).await, expected, "{name}");
    }
}

/// `a` got hold of the hash of `b`'s key and stores it as its own, so that `b`'s calls would land with `a`.
#[tokio::test]
async fn a_hash_that_two_tenants_hold_finds_neither() {
    let world = World::new("lookup_twice").await;
    for name in ["find_api_key", "find_session", "find_verification_token"] {
        let (_, sql, _) = LOOKUPS.iter().find(|lookup| lookup.0 == name).unwrap();
        assert_eq!(call(&world.app, sql).await, [], "{name}");
    }
    let twin = "create or replace function app.find_api_key(key_hash bytea)
                    returns table (api_key_id text, tenant_id text) language sql stable security definer
                    set search_path = pg_catalog, pg_temp
                    begin atomic
                        select min(k.id), min(k.tenant_id) from app.api_keys k where k.key_hash = $1;
                    end";
    run(&world.admin, twin).await;
    let found = call(&world.app, LOOKUPS[0].1).await;
    assert!(
        found.len() == 1,
        "the twin: one of the two tenants gets the other's calls: {found:?}"
    );
}

#[tokio::test]
async fn what_is_not_live_is_not_found_and_the_policies_see_to_it() {
    // (lookup, what ends it, the table whose policy hides it)
    let endings: &[(&str, &str, &str)] = &[
        (
            "find_api_key",
            "update app.api_keys set expires_at = now()",
            "api_keys",
        ),
        (
            "find_api_key",
            "update app.api_keys set revoked_at = now()",
            "api_keys",
        ),
        (
            "find_api_key",
            "update app.api_keys set deleted_at = now()",
            "api_keys",
        ),
        (
            "find_api_key",
            "update app.tenants set deleted_at = now()",
            "tenants",
        ),
        (
            "find_session",
            "update app.sessions set expires_at = now()",
            "sessions",
        ),
        ("find_session", "update app.users set deleted_at = now()", "users"),
        (
            "find_session",
            "update app.tenants set deleted_at = now()",
            "tenants",
        ),
        ("find_logins", "update app.users set deleted_at = now()", "users"),
        (
            "find_logins",
            "update app.tenants set deleted_at = now()",
            "tenants",
        ),
        ("find_account", "update app.users set deleted_at = now()", "users"),
        (
            "find_account",
            "update app.tenants set deleted_at = now()",
            "tenants",
        ),
        (
            "find_verification_token",
            "update app.verification_tokens set expires_at = now()",
            "verification_tokens",
        ),
        (
            "find_verification_token",
            "update app.tenants set deleted_at = now()",
            "tenants",
        ),
    ];
    let world = distinct_world("lookup_live").await;
    for (name, ending, table) in endings {
        let (_, sql, _) = LOOKUPS.iter().find(|lookup| lookup.0 == *name).unwrap();
        world.bind(world.a.id()).await;
        run(&world.app, ending).await;
        assert_eq!(call(&world.app, sql).await, [], "{name} after {ending}");
        run(&world.app, "rollback").await;

        run(
            &world.admin,
            &format!("alter policy lookup on app.{table} using (true)"),
        )
        .await;
        world.bind(world.a.id()).await;
        run(&world.app, ending).await;
        assert_eq!(
            call(&world.app, sql).await.len(),
            1,
            "{name} after {ending}, the twin"
        );
        run(&world.app, "rollback").await;
        world.restore(table).await;
    }
}

/// A caller puts tables of its own in front. The twin, written the usual way, answers from them.
#[tokio::test]
async fn nothing_of_the_caller_is_read_instead() {
    let world = distinct_world("lookup_shadow").await;
    let twin = "set check_function_bodies = off;
                create function app.find_api_key_twin(key_hash bytea) returns table (api_key_id text, tenant_id text)
                    language sql stable security definer
                    as 'select k.id, k.tenant_id from api_keys k join tenants t on t.id = k.tenant_id
                         where k.key_hash = $1';
                set role app_owner; grant create on schema app to app_lookup; reset role;
                alter function app.find_api_key_twin(bytea) owner to app_lookup;
                grant execute on function app.find_api_key_twin(bytea) to app_user";
    run(&world.admin, twin).await;
    let shadow = format!(
        "create temp table api_keys as select 'key_forged'::text as id, '{}'::text as tenant_id,
                sha256('forged') as key_hash;
         create temp table tenants as select '{}'::text as id;
         create function pg_temp.sha256(bytea) returns bytea language sql as 'select null::bytea';
         create function pg_temp.min(text) returns text language sql as 'select null::text';
         grant select on pg_temp.api_keys, pg_temp.tenants to public;
         set search_path = pg_temp, app, pg_catalog",
        world.b.id(),
        world.b.id()
    );
    run(&world.app, &shadow).await;
    let forged = |function: &str| format!("app.{function}(pg_catalog.sha256('forged'))");
    assert_eq!(call(&world.app, &forged("find_api_key")).await, []);
    let found = call(&world.app, &forged("find_api_key_twin")).await;
    assert_eq!(
        found,
        [("key_forged".to_owned(), world.b.id().to_owned())],
        "the twin was not fooled"
    );
    for (name, sql, table) in LOOKUPS {
        let sql = sql
            .replace("(sha256(", "(pg_catalog.sha256(")
            .replace(" sha256(", " pg_catalog.sha256(");
        let expected = vec![(world.a.row(table).to_owned(), world.a.id().to_owned())];
        assert_eq!(call(&world.app, &sql).await, expected, "{name}");
    }
}

/// Columns that app_lookup has no business with are not granted to it: a flaw in a function could not return them.
#[tokio::test]
async fn app_lookup_reads_ids_and_what_it_compares() {
    let world = World::new("lookup_grants").await;
    let sql = "select string_agg(c.relname || '.' || a.attname, ' ' order by c.relname, a.attname)
                 from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
                where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')
                  and has_column_privilege('app_lookup', c.oid, a.attnum, 'SELECT')";
    let found: String = world.admin.query_one(sql, &[]).await.unwrap().get(0);
    let expected = "accounts.provider accounts.provider_account_id accounts.tenant_id accounts.user_id \
                    api_keys.id api_keys.key_hash api_keys.tenant_id \
                    sessions.tenant_id sessions.token_hash sessions.user_id \
                    tenants.id users.email users.id users.tenant_id \
                    verification_tokens.id verification_tokens.identifier verification_tokens.tenant_id \
                    verification_tokens.token_hash";
    assert_eq!(found, expected);
    let sql = "select count(*) from information_schema.role_table_grants
                where grantee = 'app_lookup' and privilege_type <> 'SELECT'";
    assert_eq!(world.count(sql).await, 0);
}
