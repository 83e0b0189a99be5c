//! Policies made to fool the proof, or written by somebody who fooled himself, with the verdicts they deserve.
//!
//! Each has rows, and is read by the role itself in every state: what is `proven` must show no foreign row there. Where
//! an `attack` is given, a session bound to A runs it first and must see a foreign row: the policy does leak.

use rls_tool::proof::{Command, Prover, Symbols, Verdict};
use tokio_postgres::Client;

use super::harness::{Fixture, counterexamples, describe, letters, prove};

/// What the policies refer to. Made with PostgreSQL's rights, in the schema `app`.
const SETUP: &str = include_str!("wicked.sql");

struct Case {
    /// The table's columns, rows apart from `id` (`A` and `B` are the tenants' values), and USING; `{n}` stands for the tenant, NULL
    /// where there is none.
    columns: &'static str,
    rows: &'static str,
    using: &'static str,
    /// As in the corpus: bound, never set, `''`, and garbage where there is such a thing.
    expected: &'static str,
    /// What a session bound to A does before it reads a foreign row; none where no such row may be seen.
    attack: Option<&'static str>,
}

const N: &str = "nullif(current_setting('app.current_tenant', true), '')";

const TEXT: &str = "tenant_id text not null, note text";
const UUID: &str = "tenant_id uuid not null, note text";
const INT: &str = "tenant_id bigint not null, note text";
const ROWS: &str = "(A, 'I'), (B, 'a')";

/// A temporary type of the name that a helper casts to, and a cast from it that says who is asking.
const SHADOW: &str = "create type pg_temp.uuid as enum ('a0000000-0000-4000-8000-000000000001');
    create function pg_temp.to_b(pg_temp.uuid) returns pg_catalog.uuid language sql
        as $$ select pg_catalog.uuid_in('b0000000-0000-4000-8000-000000000002') $$;
    create cast (pg_temp.uuid as pg_catalog.uuid) with function pg_temp.to_b(pg_temp.uuid) as implicit";

const fn leaks(
    columns: &'static str,
    using: &'static str,
    expected: &'static str,
    attack: &'static str,
) -> Case {
    Case {
        columns,
        rows: ROWS,
        using,
        expected,
        attack: Some(attack),
    }
}

const fn holds(columns: &'static str, using: &'static str, expected: &'static str) -> Case {
    Case {
        columns,
        rows: ROWS,
        using,
        expected,
        attack: None,
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Two readings of what looks like one value.
    leaks(TEXT, "tenant_id = {n} or current_timestamp(0) <> current_timestamp", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or statement_timestamp() <> now()", "UUU", "begin; select pg_sleep(0.001)"),
    leaks(TEXT, "tenant_id = {n} or clock_timestamp() > now() - interval '1 day'", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or lower('I' collate \"tr-x-icu\") collate \"C\" <> lower('I' collate \"C\")", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or (note < 'A' collate \"en-x-icu\") <> (note < 'A' collate app.upper_first)", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or note < 'A' collate \"en-x-icu\" and not note < 'A' collate app.upper_first", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or ('{\"n\": 1.00}'::jsonb ->> 'n') = '1.00'", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or ('{\"n\": 1e2}'::jsonb ->> 'n') = '100'", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or ('{\"n\": 1, \"n\": 2}'::json ->> 'n') = '2'", "RRR", ""),
    leaks(TEXT, "tenant_id = {n} or 1.0::numeric::text <> 1.00::numeric::text", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or random() < 2", "UUU", ""),
    // Equality that is none.
    leaks(UUID, "tenant_id operator(app.=) {n}", "UUUU", ""),
    leaks(UUID, "tenant_id operator(pg_catalog.=) {n}::varchar", "UUUU", ""),
    leaks(UUID, "tenant_id = any (array[{n}::varchar])", "UUUU", ""),
    leaks(UUID, "nullif(tenant_id, {n}::varchar) is null", "UUUU", ""),
    leaks(UUID, "tenant_id is not distinct from {n}::varchar", "UUUU", ""),
    leaks(UUID, "tenant_id in (select {n}::varchar)", "UUUU", ""),
    leaks(UUID, "tenant_id = ({n}::app.secret)::uuid", "UUUU", ""),
    leaks(TEXT, "tenant_id::app.one = {n}::app.one", "RPP", ""),
    leaks(TEXT, "tenant_id::varchar(1)::text = {n}::varchar(1)::text", "RPP", ""),
    leaks(TEXT, "tenant_id::\"char\" = {n}::\"char\"", "UUU", ""),
    leaks(TEXT, "substr(tenant_id, 1, 1) = substr({n}, 1, 1)", "RPP", ""),
    leaks(TEXT, "length(tenant_id) = length({n})", "RPP", ""),
    leaks(TEXT, "md5(left(tenant_id, 1)) = md5(left({n}, 1))", "UUU", ""),
    leaks(TEXT, "tenant_id ~* {n}", "UUU", "select set_config('app.current_tenant', 'XB', false)"),
    leaks(TEXT, "tenant_id ~ ('^' || left({n}, 1))", "RPP", ""),
    leaks(TEXT, "tenant_id similar to {n} || '%|x%'", "UUU", ""),
    leaks(TEXT, "tenant_id || note = {n} || note or tenant_id || note = 'xba'", "RRR", ""),
    leaks(TEXT, "(tenant_id, note) >= ({n}, note)", "UUU", ""),
    leaks(TEXT, "array[left(tenant_id, 1)] <@ array[left({n}, 1)]", "UUU", ""),
    leaks(TEXT, "ascii(tenant_id) = ascii({n})", "UUU", ""),
    leaks("tenant_id text collate app.nocase not null", "tenant_id = {n}", "UPP", "select set_config('app.current_tenant', 'XB', false)"),
    leaks("tenant_id text not null, loose text collate app.nocase", "loose = {n}", "UPP", "select set_config('app.current_tenant', 'A', false)"),
    leaks("tenant_id app.loose_text not null", "tenant_id = {n}", "UPP", "select set_config('app.current_tenant', 'XB', false)"),
    // Equality that is one.
    holds(TEXT, "tenant_id = {n} collate \"und-x-icu\"", "PPP"),
    holds(TEXT, "tenant_id::varchar = {n}::varchar", "PPP"),
    holds(TEXT, "tenant_id || '' = {n}", "UPP"),
    holds(TEXT, "tenant_id = any (array[{n}, null])", "PPP"),
    holds(TEXT, "tenant_id = (select {n} limit 1)", "UUU"),
    holds(TEXT, "array[tenant_id] = array[{n}]", "UUU"),
    holds(TEXT, "tenant_id = {n} or (note is null) is null", "PPP"),
    holds("tenant_id char(3) not null", "tenant_id = {n}::char(3)", "RPP"),
    holds("tenant_id varchar(2) not null", "tenant_id = {n}", "PPP"),
    holds("tenant_id varchar(2) not null", "tenant_id = {n}::varchar(2)", "RPP"),
    holds("tenant_id varchar(2) not null", "tenant_id = any (array[left({n}, -1), {n}])", "UPP"),
    holds("tenant_id app.checked not null", "tenant_id = {n}::app.checked", "PPP"),
    holds(INT, "tenant_id = {n}::app.number", "PPPP"),
    holds(INT, "tenant_id::int = {n}::int", "PPPP"),
    holds(INT, "tenant_id::smallint::text = {n}", "PPPP"),
    holds("tenant_id numeric not null", "tenant_id = {n}::numeric", "PPP"),
    holds("tenant_id float8 not null", "tenant_id = {n}::float8", "UUU"),
    // Who is asking, from somewhere else.
    leaks(TEXT, "tenant_id = nullif(current_setting('app.current_tenant_id', true), '')", "RRR", "set app.current_tenant_id = 'xb'"),
    leaks(TEXT, "tenant_id = coalesce(current_setting('app.x', true), {n})", "RRR", "set app.x = 'xb'"),
    leaks(TEXT, "case current_setting('app.mode', true) when 'admin' then true else tenant_id = {n} end", "RRR", "set app.mode = 'admin'"),
    leaks(TEXT, "tenant_id = current_setting('application_name')", "UUU", "set application_name = 'xb'"),
    leaks(TEXT, "tenant_id = {n} and current_setting('app.x', true) = 'a' or current_setting('app.x', true) = tenant_id", "RRR", "set app.x = 'xb'"),
    holds(TEXT, "tenant_id = nullif(current_setting('App.CURRENT_tenant', true), '')", "PPP"),
    holds(TEXT, "tenant_id = nullif(current_setting('app.current_tenant '), '')", "UUU"),
    leaks(TEXT, "tenant_id = current_setting('app.' || 'x', true)", "UUU", "set app.x = 'xb'"),
    leaks(TEXT, "tenant_id = {n} or pg_has_role(session_user, current_user, 'member')", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or not row_security_active('app.members')", "UUU", ""),
    // Helpers.
    leaks(UUID, "tenant_id = app.helper_unpinned()", "UUUU", SHADOW),
    leaks(UUID, "tenant_id = app.helper_in_plpgsql()", "UUUU", SHADOW),
    leaks(TEXT, "tenant_id = app.helper_other_path()", "UUU", "set search_path = open; create function open.who() returns text language sql as $$ select 'xb'::text $$"),
    leaks(TEXT, "tenant_id = app.helper_volatile()", "RRR", "set app.x = 'xb'"),
    leaks(TEXT, "tenant_id = {n} and app.noisy()", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} and app.noisy_in_pieces()", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} and (select app.noisy_sum(1)) = 1", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} and app.calls_noisy_sum() = 1", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} and exists (select from app.noisy_view)", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} and app.reads_noisy_view()", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} and app.casts_noisily()", "UUU", ""),
    holds(TEXT, "tenant_id = app.helper_immutable()", "UUU"),
    holds(TEXT, "tenant_id = app.helper_strict({n})", "PPP"),
    leaks(TEXT, "tenant_id = {n} or app.helper_strict(null) is null", "RRR", ""),
    // Sub-selects.
    leaks(TEXT, "exists (select from app.members m where m.tenant_id = {n})", "UPP", ""),
    leaks(TEXT, "tenant_id in (select {n} union select 'xb')", "UUU", ""),
    holds(TEXT, "tenant_id in (values ({n}))", "UUU"),
    leaks(TEXT, "tenant_id in (select m.tenant_id from app.members m where m.tenant_id = {n} or m.user_id = 'u')", "UUU", ""),
    leaks(TEXT, "{n} in (select m.tenant_id from app.members m)", "UPP", ""),
    leaks(TEXT, "(select count(*) from app.members m where m.tenant_id = {n}) > 0", "UUU", ""),
    leaks(TEXT, "tenant_id = (select max(m.tenant_id) from app.members m)", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or not exists (select from app.members m where m.user_id is null)", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or exists (select from app.inherited i where i.tenant_id is null)", "UUU", ""),
    leaks(TEXT, "tenant_id <> all (select m.tenant_id from app.members m where m.user_id = 'nobody')", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or (select m.tenant_id from app.members m where false) is null", "UUU", ""),
    leaks(TEXT, "tenant_id = {n} or exists (select from app.members m left join app.members n on false where n.user_id is null)", "UUU", ""),
];

/// Constraints that say less than they seem to: (columns, constraint, USING, verdicts).
#[rustfmt::skip]
const CONSTRAINED: &[(&str, &str, &str, &str)] = &[
    (TEXT, "check (tenant_id = current_setting('app.current_tenant', true))", "true", "RRR"),
    (TEXT, "check (note <> 'a' or tenant_id = current_setting('app.current_tenant', true))", "note = 'a'", "RRR"),
    (TEXT, "check (app.is_a(tenant_id))", "app.helper_is_a({n}) and note is not null", "RPP"),
];

fn table(index: usize) -> String {
    format!("w{index:02}")
}

const TENANTS: &[(&str, [&str; 2])] = &[
    (
        "uuid",
        [
            "a0000000-0000-4000-8000-000000000001",
            "b0000000-0000-4000-8000-000000000002",
        ],
    ),
    ("bigint", ["1", "2"]),
    ("numeric", ["1", "2"]),
    ("float8", ["1", "2"]),
    ("", ["xa", "xb"]),
];

fn reason(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or(error.to_string(), ToString::to_string)
}

fn tenants(columns: &str) -> [&'static str; 2] {
    let mut kinds = TENANTS.iter();
    let found = kinds.find(|(kind, _)| columns.starts_with(&format!("tenant_id {kind}")));
    found.unwrap().1
}

#[tokio::test]
async fn nothing_wicked_is_proven() {
    let fixture = Fixture::new("proof_wicked", SETUP).await;
    fixture.run("set search_path = app, public").await;
    let mut wrong = Vec::new();
    for (index, case) in CASES.iter().enumerate() {
        let table = table(index);
        let [a, b] = tenants(case.columns);
        let rows = match case.columns.matches(',').count() {
            0 => format!("('{a}'), ('{b}')"),
            _ => case
                .rows
                .replace('A', &format!("'{a}'"))
                .replace('B', &format!("'{b}'")),
        };
        let using = case.using.replace("{n}", N);
        let made = fixture
            .client
            .batch_execute(&format!(
                "create table {table} ({}); insert into {table} values {rows};
                 alter table {table} enable row level security;
                 create policy p on {table} using ({using}); grant select on {table} to {}",
                case.columns, fixture.role
            ))
            .await;
        if let Err(error) = made {
            wrong.push(format!("{}: {using}\n  {}", case.columns, reason(&error)));
        }
    }
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    for (index, case) in CASES.iter().enumerate() {
        let table = table(index);
        if catalog.relation_named("app", &table).is_none() {
            continue;
        }
        let verdict = prove(&prover, &catalog, &table, "tenant_id", Command::Select);
        let mut say = |what: String| wrong.push(format!("{}: {}\n  {what}", case.columns, case.using));
        let got = letters(&verdict);
        if got != case.expected {
            say(format!(
                "expected {}, got {got}\n{}",
                case.expected,
                describe(&verdict)
            ));
        }
        for (aspect, counterexample) in counterexamples(&verdict) {
            let said = fixture.replay(counterexample).await;
            if said != [Some("t".to_owned())] {
                say(format!("{aspect:?}: PostgreSQL says {said:?}"));
            }
        }
        let [a, _] = tenants(case.columns);
        for (nth, bound) in [Some(a), None, Some("")].into_iter().enumerate() {
            let client = fixture.database.client_as(&fixture.role).await;
            bind(&client, bound).await;
            let shown = foreign_rows(&client, &table, bound).await;
            let is_proven = verdict
                .aspects
                .get(nth)
                .is_some_and(|(_, v)| matches!(v, Verdict::Proven(_)));
            if is_proven && shown > 0 {
                say(format!("proven, yet {bound:?} shows {shown} foreign rows"));
            }
        }
        if let Some(attack) = case.attack {
            let client = fixture.database.client_as(&fixture.role).await;
            bind(&client, Some(a)).await;
            if let Err(error) = client.batch_execute(&attack.replace("{t}", &table)).await {
                say(format!("the attack fails: {}", reason(&error)));
            } else if foreign_rows(&client, &table, Some(a)).await == 0 {
                say("the attack shows nothing".to_owned());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn bind(client: &Client, tenant: Option<&str>) {
    if let Some(tenant) = tenant {
        client
            .execute("select set_config('app.current_tenant', $1, false)", &[&tenant])
            .await
            .unwrap();
    }
}

/// How many rows of others than `bound` the session reads; an error shows none.
async fn foreign_rows(client: &Client, table: &str, bound: Option<&str>) -> usize {
    let rows = client
        .query(
            &format!("select tenant_id::pg_catalog.text from app.{table}"),
            &[],
        )
        .await
        .unwrap_or_default();
    let mut tenants = rows.iter().map(|row| row.get::<_, Option<String>>(0));
    let own = bound.filter(|bound| !bound.is_empty());
    tenants
        .by_ref()
        .filter(|tenant| own.is_none() || tenant.as_deref().map(str::trim_end) != own)
        .count()
}

#[tokio::test]
async fn constraints_that_held_once_prove_nothing() {
    let fixture = Fixture::new("proof_constraints", SETUP).await;
    fixture.run("set search_path = app, public").await;
    for (index, (columns, constraint, using, _)) in CONSTRAINED.iter().enumerate() {
        let table = table(index);
        let using = using.replace("{n}", N);
        fixture
            .run(&format!(
                "create table {table} ({columns}, {constraint}); alter table {table} enable row level security;
                 create policy p on {table} using ({using}); grant select on {table} to {{role}}"
            ))
            .await;
    }
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    for (index, (_, constraint, _, expected)) in CONSTRAINED.iter().enumerate() {
        let verdict = prove(&prover, &catalog, &table(index), "tenant_id", Command::Select);
        assert_eq!(
            letters(&verdict),
            *expected,
            "{constraint}\n{}",
            describe(&verdict)
        );
    }
}
