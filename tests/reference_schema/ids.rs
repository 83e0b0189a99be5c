//! Ids made by the database are ids to the library, and the database's CHECK and the library's parser agree.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rls_tool::id::TypeId;
use rls_tool::{ProcessVersionId, TenantId, UserId};

use crate::support::{Database, run};
use crate::tables::TABLES;
use crate::world::World;

#[tokio::test]
async fn thousands_of_the_databases_ids_parse_and_sort_by_time() {
    let db = Database::migrated("ids").await;
    let app = db.client_as("app_user").await;
    let before = SystemTime::now();
    let rows = app
        .query("select app.new_id('usr') from generate_series(1, 5000)", &[])
        .await
        .unwrap();
    let after = SystemTime::now();
    let ids: Vec<UserId> = rows
        .iter()
        .map(|row| row.get::<_, &str>(0).parse().unwrap())
        .collect();

    let millis = |id: &UserId| u64::try_from(id.uuid().as_u128() >> 80).unwrap();
    let since_1970 = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let slack = Duration::from_secs(1);
    for id in &ids {
        assert_eq!(
            (id.uuid().get_version_num(), id.uuid().get_variant()),
            (7, uuid::Variant::RFC4122),
            "{id}"
        );
        let time = Duration::from_millis(millis(id));
        assert!(
            time + slack > since_1970(before) && time < since_1970(after) + slack,
            "{id}: {time:?}"
        );
    }
    assert!(
        ids.is_sorted_by_key(millis),
        "in the order they were made, to the millisecond"
    );
    assert!(
        millis(&ids[0]) < millis(&ids[4999]),
        "5000 ids take longer than a millisecond"
    );
    let mut texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 5000, "no two alike");
    assert!(
        texts.is_sorted_by_key(|text| millis(&text.parse().unwrap())),
        "as text too"
    );

    // Every random bit is sometimes 0 and sometimes 1; the others never change.
    let (ones, zeros) = ids
        .iter()
        .map(|id| id.uuid().as_u128())
        .fold((0, 0), |(ones, zeros), bits| (ones | bits, zeros | !bits));
    let random = 0x0fff_3fff_ffff_ffff_ffff_u128;
    assert_eq!(ones & zeros & ((1 << 80) - 1), random);
}

#[tokio::test]
async fn the_databases_encoding_is_the_librarys() {
    let db = Database::migrated("ids_encoding").await;
    let admin = db.admin().await;
    // The library's own id goes through the database's uuid and back.
    let id = ProcessVersionId::generate();
    assert_eq!(
        TypeId::new("pver", id.uuid()).unwrap().to_string(),
        id.to_string()
    );
    let error = admin.query("select app.new_id('No_')", &[]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22023");
    for prefix in ["", "_a", "a_", "A", "a1", "é", &"a".repeat(64)] {
        assert!(
            admin.query("select app.new_id($1)", &[&prefix]).await.is_err(),
            "{prefix:?}"
        );
    }
    for prefix in ["a", "a_b", &"a".repeat(63)] {
        let text: String = admin
            .query_one("select app.new_id($1)", &[&prefix])
            .await
            .unwrap()
            .get(0);
        assert_eq!(text.parse::<TypeId>().unwrap().prefix(), prefix);
    }
}

/// A client in another language leaves `id` and `tenant_id` out.
#[tokio::test]
async fn a_row_without_ids_gets_its_own_and_the_bound_tenant() {
    let world = World::new("ids_default").await;
    for table in TABLES {
        let sql = "select pg_get_expr(adbin, adrelid) from pg_attrdef d
                   join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
                   where adrelid = $1::text::regclass and attname = $2";
        let default = async |column: &str| -> String {
            let name = format!("app.{}", table.name);
            world
                .admin
                .query_one(sql, &[&name, &column])
                .await
                .unwrap()
                .get(0)
        };
        let id = (table.new_id)();
        let prefix = TypeId::from_str(&id).unwrap().prefix().to_owned();
        assert_eq!(
            default("id").await,
            format!("app.new_id('{prefix}'::text)"),
            "app.{}",
            table.name
        );
        if table.key == "tenant_id" {
            assert_eq!(
                default("tenant_id").await,
                "app.current_tenant()",
                "app.{}",
                table.name
            );
        }
    }
    world.bind(world.a.id()).await;
    let sql = "insert into app.processes (name) values ('another') returning tenant_id";
    assert_eq!(
        world.app.query_one(sql, &[]).await.unwrap().get::<_, &str>(0),
        world.a.id()
    );
    run(&world.app, "rollback").await;
    let error = world.app.query(sql, &[]).await.unwrap_err();
    let refused = crate::attempt::refusal(&error);
    assert_eq!(
        refused,
        Some(crate::attempt::Outcome::RowSecurity),
        "unbound, there is no tenant to default to"
    );
}

/// Texts near an id: the CHECK and the parser say the same of each.
#[tokio::test]
async fn the_check_and_the_parser_agree() {
    let db = Database::migrated("ids_check").await;
    let near = prop_oneof![
        "ten_[0-7][0-9a-hjkmnp-tv-z]{25}",
        "ten_[0-9a-zA-Z]{26}",
        "(ten|Ten|tenx|te|usr|_ten)?_?[0-9a-z]{24,28}",
        "ten_[0-8][0-9a-z]{25}[\n\r\t ]?",
        "ten_[0-7][0-9a-hjkmnp-tv-zéа０ilou]{25}",
        "[\\PC\n]{0,40}",
    ];
    let mut runner = TestRunner::deterministic();
    let mut texts: Vec<String> = (0..20_000)
        .map(|_| near.new_tree(&mut runner).unwrap().current().replace('\0', ""))
        .collect();
    texts.extend((0..1000).map(|_| TenantId::generate().to_string()));
    let sql = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'tenants_id_format'";
    let admin = db.admin().await;
    let check: String = admin.query_one(sql, &[]).await.unwrap().get(0);
    let sql = format!(
        "select id, {} from unnest($1::text[]) as x (text) cross join lateral (select text collate \"C\" as id) y",
        check.trim_start_matches("CHECK ")
    );
    let mut accepted = 0;
    for row in admin.query(&sql, &[&texts]).await.unwrap() {
        let (text, fits): (&str, bool) = (row.get(0), row.get(1));
        assert_eq!(fits, text.parse::<TenantId>().is_ok(), "{text:?}");
        accepted += usize::from(fits);
    }
    assert!(
        accepted > 2000 && accepted < 15_000,
        "{accepted} of {} are ids",
        texts.len()
    );
}
