//! Bodies as people write them, and what is refused.

use proptest::prelude::*;

use super::*;

#[test]
fn helpers_as_people_write_them_are_read() {
    for text in [
        "select nullif(current_setting('app.current_tenant', true), '')::uuid",
        "SELECT NULLIF(pg_catalog.current_setting('app.t', TRUE), '')::uuid AS tenant; -- who",
        "select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''), \
         (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid",
        "select case when $1 is null then null else (select lower($1)) end",
        "select a is not distinct from b and not c or d <> $tag$it's$tag$",
    ] {
        assert!(parse_sql(text).is_ok(), "{text}: {:?}", parse_sql(text));
    }
    assert!(parse_plpgsql("\nBEGIN\n  RETURN current_setting('a.b')::bigint;\nEND;\n").is_ok());
}

#[test]
fn what_it_does_not_know_is_refused() {
    for text in [
        "select x from t",
        "select 1; select 2",
        "select e'\\n'",
        "select 'a\\b'",
        "select a like b",
        "select x[1]",
        "select u&'\\0061'",
        "select 1 + 2",
        "select date '2020-01-01'",
        "select 'a' 'b'",
        "",
        "select a = b = c",
        "select x collate \"C\"",
        "select \"unended",
        "with q as (select 1) select 2",
        "select interval '1 day'",
    ] {
        assert!(parse_sql(text).is_err(), "{text}: {:?}", parse_sql(text));
    }
    assert!(parse_plpgsql("begin perform f(); return 1; end").is_err());
    assert!(parse_sql(&("select ".to_owned() + &"(".repeat(5_000))).is_err());
}

#[test]
fn precedence_is_postgresqls() {
    let name = |text: &str| Box::new(Ast::Name(vec![text.to_owned()]));
    let parsed = parse_sql("select not a = b or c ->> d = e").unwrap();
    let json = Ast::Binary(Operator::JsonFieldText, name("c"), name("d"));
    let expected = Ast::Or(vec![
        Ast::Not(Box::new(Ast::Binary(Operator::Equal, name("a"), name("b")))),
        Ast::Binary(Operator::Equal, Box::new(json), name("e")),
    ]);
    assert_eq!(parsed, expected);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~é\\n]{0,60}|select [a-z()', :$|>=-]{0,40}") {
        let _ = parse_sql(&text);
        let _ = parse_plpgsql(&text);
    }
}
