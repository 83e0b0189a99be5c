//! docs/rls.schema.json and the reader of rls.toml agree: what one takes the other takes.

use rls_tool::model::Config;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../docs/rls.schema.json");

const FULL: &str = r#"
roles = ["app"]
tenant_column = "tenantId"
tenant_setting = "my.tenant"
schemas = ["public"]
[[table]]
name = "public.memberships"
tenant_column = "org_id"
values = { kind = "'x'" }
[[exempt]]
table = "public.plans*"
reason = "the same for all"
expires = "2027-01-31"
[[allow]]
check = "rls-not-forced"
object = "public.t"
role = "app"
reason = "owner never connects"
expires = "2027-01-31"
[checks]
rls-not-forced = "off"
[binding]
settings = { "request.jwt.claims" = '{"sub":"{user}"}' }
sql = "select login({tenant})"
role_per_tenant = "tenant_{tenant}"
"#;

fn fits(text: &str) -> (bool, bool) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let value: Value = toml::from_str(text).unwrap();
    (
        jsonschema::validator_for(&schema).unwrap().is_valid(&value),
        Config::parse(text, "rls.toml").is_ok(),
    )
}

#[test]
fn both_take_every_key() {
    assert_eq!(fits(FULL), (true, true));
    assert_eq!(fits(""), (true, true));
    // Every key that the schema has is in the full file: so the reader knows it.
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut open = vec![&schema["properties"]];
    while let Some(properties) = open.pop() {
        for (key, value) in properties.as_object().unwrap() {
            assert!(FULL.contains(key.as_str()), "{key}");
            for inner in [&value["properties"], &value["items"]["properties"]] {
                if inner.is_object() {
                    open.push(inner);
                }
            }
        }
    }
}

#[test]
fn both_refuse_the_same_mistakes() {
    for (old, new) in [
        ("tenant_column = \"tenantId\"", "tenant_colum = \"tenantId\""),
        ("roles = [\"app\"]", "roles = \"app\""),
        ("reason = \"the same for all\"", ""),
        ("reason = \"the same for all\"", "reason = \"  \""),
        ("expires = \"2027-01-31\"", "expires = \"soon\""),
        ("rls-not-forced = \"off\"", "rls-not-forced = \"warn\""),
        ("object = \"public.t\"", ""),
        ("sql = \"select login({tenant})\"", "sql = 1"),
    ] {
        let text = FULL.replacen(old, new, 1);
        assert_ne!(text, FULL);
        assert_eq!(fits(&text), (false, false), "{new}");
    }
}
