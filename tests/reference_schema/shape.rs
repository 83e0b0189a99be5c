//! Rules that every table keeps, read from the catalog: a table that a later migration adds is held to them, and one
//! that these tests do not know fails.

use crate::attempt::{Outcome, refusal};
use crate::support::run;
use crate::tables::TABLES;
use crate::world::World;

async fn names(world: &World, sql: &str) -> Vec<String> {
    let rows = world
        .admin
        .query(sql, &[])
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

#[tokio::test]
async fn the_list_of_these_tests_is_every_table_there_is() {
    let world = World::new("list").await;
    let sql = "select relname::text from pg_class where relnamespace = 'app'::regnamespace
               and relkind in ('r', 'p', 'f', 'm', 'v', 'S') and not relispartition order by 1";
    let found = names(&world, sql).await;
    let mut listed: Vec<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    listed.sort();
    assert_eq!(
        found, listed,
        "relations of schema app, and tests/reference_schema/tables.rs"
    );
    let sql = "select distinct inhparent::regclass::text from pg_inherits order by 1";
    let parents = names(&world, sql).await;
    assert!(
        parents.iter().all(|parent| parent.starts_with("app.call_logs")),
        "{parents:?}"
    );
}

/// Each query names what breaks a rule.
const RULES: &[(&str, &str)] = &[
    (
        "row security is enabled and forced, on partitions too",
        "select relname::text from tables where not (relrowsecurity and relforcerowsecurity)",
    ),
    ("app_owner owns it", "select relname::text from tables where relowner <> 'app_owner'::regrole"),
    (
        "one policy of app_user: tenant_isolation, permissive, for all commands, USING and WITH CHECK alike",
        "select relname::text from tables where not relispartition and 1 <> (select count(*) from pg_policy p
          where p.polrelid = tables.oid and p.polname = 'tenant_isolation' and p.polpermissive and p.polcmd = '*'
            and p.polroles = array['app_user'::regrole::oid]
            and pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)
            and pg_get_expr(p.polqual, p.polrelid) = format(
                '(%s = NULLIF(current_setting(''app.current_tenant''::text, true), ''''::text))', tables.key))",
    ),
    (
        "every other policy is TO app_lookup or app_maintenance",
        "select relname || '.' || polname from tables join pg_policy on polrelid = tables.oid
          where polname <> 'tenant_isolation'
            and polroles not in (array['app_lookup'::regrole::oid], array['app_maintenance'::regrole::oid])",
    ),
    (
        "a partition has no policy, and nobody but its owner a privilege",
        "select relname::text from tables where relispartition
            and (exists (select from pg_policy where polrelid = tables.oid)
                 or exists (select from aclexplode(relacl) where grantee <> relowner))",
    ),
    (
        "the tenant column is NOT NULL and compares byte by byte",
        "select relname::text from tables where not exists (select from pg_attribute
          where attrelid = tables.oid and attname = key and attnotnull and atttypid = 'text'::regtype
            and attcollation = '\"C\"'::regcollation)",
    ),
    (
        "created_at and updated_at are NOT NULL and have a default",
        "select relname || '.' || c from tables cross join unnest(array['created_at', 'updated_at']) c
          where not exists (select from pg_attribute where attrelid = tables.oid and attname = c and attnotnull
            and atthasdef and atttypid = 'timestamptz'::regtype)",
    ),
    (
        "updated_at is kept by a trigger",
        "select relname::text from tables where not exists (select from pg_trigger
          where tgrelid = tables.oid and tgfoid = 'app.set_updated_at'::regproc and tgenabled = 'O')",
    ),
    (
        "the primary key leads with the tenant",
        "select relname::text from tables where not exists (select from pg_index
          where indrelid = tables.oid and indisprimary and attribute(indrelid, indkey[0]) = key)",
    ),
    (
        "what is unique is unique per tenant, but for slugs",
        "select indexrelid::regclass::text from tables join pg_index on indrelid = tables.oid
          where indisunique and attribute(indrelid, indkey[0]) <> key
            and indexrelid <> 'app.tenants_slug_key'::regclass",
    ),
    (
        "every foreign key leads with the tenant",
        "select conname::text from tables join pg_constraint on conrelid = tables.oid
          where contype = 'f' and attribute(conrelid, conkey[1]) <> 'tenant_id'",
    ),
    (
        "every table refers to tenants",
        "select relname::text from tables where relname <> 'tenants' and not exists (select from pg_constraint
          where conrelid = tables.oid and contype = 'f' and confrelid = 'app.tenants'::regclass)",
    ),
    (
        "every foreign key is served by an index that leads with its columns",
        "select conname::text from tables join pg_constraint on conrelid = tables.oid
          where contype = 'f' and not exists (select from pg_index where indrelid = conrelid and indpred is null
            and (indkey::int2[])[0:cardinality(conkey) - 1] = conkey)",
    ),
    (
        "input_hash and expires_at are indexed",
        "select relname || '.' || attname from tables join pg_attribute on attrelid = tables.oid
          where attname in ('input_hash', 'expires_at') and atttypid <> 'bigint'::regtype
            and not exists (select from pg_index where indrelid = tables.oid and attnum = any (indkey[0:1]))",
    ),
    (
        "the id has its format checked",
        "select relname::text from tables where not exists (select from pg_constraint
          where conrelid = tables.oid and contype = 'c'
            and pg_get_constraintdef(oid) ~ 'id ~ ''\\^[a-z]+_\\[0-7\\]\\[0-9a-hjkmnp-tv-z\\]\\{25\\}\\$''')",
    ),
    (
        "every function has a fixed search_path, or a body that was bound when it was made",
        "select oid::regprocedure::text from pg_proc where pronamespace = 'app'::regnamespace
            and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false) and prosqlbody is null",
    ),
    (
        "SECURITY DEFINER functions belong to app_lookup, or to app_owner for partitions",
        "select oid::regprocedure::text from pg_proc where pronamespace = 'app'::regnamespace and prosecdef
            and proowner <> 'app_lookup'::regrole
            and proname not in ('make_call_log_partitions', 'drop_call_log_partitions')",
    ),
];

const PRELUDE: &str = "
    create function pg_temp.attribute(oid, int2) returns name language sql
        as 'select attname from pg_attribute where attrelid = $1 and attnum = $2';
    create temp view tables as
        select c.oid, c.*, case c.relname when 'tenants' then 'id' else 'tenant_id' end as key
          from pg_class c where relnamespace = 'app'::regnamespace and relkind in ('r', 'p')";

#[tokio::test]
async fn every_table_keeps_the_rules() {
    let world = World::new("rules").await;
    run(&world.admin, &PRELUDE.replace("c.oid, c.*", "c.*")).await;
    for (rule, sql) in RULES {
        let broken = names(&world, &sql.replace("attribute(", "pg_temp.attribute(")).await;
        assert!(broken.is_empty(), "{rule}: not {broken:?}");
    }
    // The twin: a table made without care breaks them.
    run(
        &world.admin,
        "create table app.careless (id text primary key, tenant_id text, updated_at int)",
    )
    .await;
    run(
        &world.admin,
        "create function app.careless() returns int language sql security definer as 'select 1'",
    )
    .await;
    for (rule, sql) in RULES {
        if rule.contains("foreign key is")
            || rule.contains("foreign key leads")
            || rule.starts_with("a partition")
            || rule.starts_with("every other policy")
            || rule.starts_with("input_hash")
        {
            continue;
        }
        let broken = names(&world, &sql.replace("attribute(", "pg_temp.attribute(")).await;
        assert!(
            broken.iter().any(|name| name.contains("careless")),
            "{rule}: the twin went unnoticed"
        );
    }
}

/// Whatever row security says: no such tenant can exist, so no such value can ever match a row.
#[tokio::test]
async fn no_tenant_is_called_nothing_or_garbage() {
    let world = World::new("format").await;
    let insert = "insert into app.tenants (id, name, slug) values ($1, 'x', 'x')";
    let good = world.a.id();
    let mut values: Vec<String> = ["", " ", "ten_", "%", "garbage", "NULL"]
        .map(str::to_owned)
        .into();
    values.extend([
        good.to_uppercase(),
        format!("{good}\n"),
        format!("{good} "),
        good[4..].to_owned(),
    ]);
    values.push(good.replace("ten_", "usr_"));
    values.push(format!("ten_8{}", &good[5..]));
    for value in &values {
        let error = world.admin.execute(insert, &[value]).await.unwrap_err();
        let expected = Some(Outcome::Constraint("tenants_id_format".to_owned()));
        assert_eq!(refusal(&error), expected, "{value:?}");
    }
    run(
        &world.admin,
        "alter table app.tenants drop constraint tenants_id_format",
    )
    .await;
    world
        .admin
        .execute(insert, &[&""])
        .await
        .expect("the twin: without the CHECK '' is a tenant");
}

#[tokio::test]
async fn the_database_keeps_the_time_stamps() {
    let world = World::new("time_stamps").await;
    for table in TABLES {
        let name = table.name;
        let stamps = format!(
            "select created_at, updated_at from app.{name} where {} = $1",
            table.key
        );
        let read = async || {
            let row = world.admin.query_one(&stamps, &[&world.a.id()]).await.unwrap();
            (
                row.get::<_, std::time::SystemTime>(0),
                row.get::<_, std::time::SystemTime>(1),
            )
        };
        let before = read().await;
        let change = format!(
            "update app.{name} set {}, updated_at = '2001-01-01' where {} = '{}'",
            table.change,
            table.key,
            world.a.id()
        );
        run(&world.admin, &change).await;
        let after = read().await;
        assert_eq!(before.0, after.0, "app.{name}.created_at");
        assert!(
            after.1 > before.1,
            "app.{name}.updated_at: {:?}, then {:?}",
            before.1,
            after.1
        );
    }
}
