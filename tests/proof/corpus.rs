//! Policy forms, as people write them, with the verdicts they deserve.
//!
//! Each form is a table of its own. The letters are the verdicts for SELECT in the order of the aspects: bound, never
//! set, `''`, and garbage where the tenant column has a type that not every text has: Proven, Refuted, Undecided.

use rls_tool::proof::{Command, Prover, Symbols};

use super::harness::{Fixture, counterexamples, describe, letters, prove};

/// What every form's table is made of, and what the forms refer to.
const SETUP: &str = "
revoke create on schema public from public;
-- Temporary types would make every name of a type in a helper's text doubtful: see `wicked`.
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
create schema app;
set search_path = app, public;
create domain app.tenant_uuid as uuid;
create domain app.short as varchar(5);
create type app.status as enum ('draft', 'published');
create type app.box2 as (a int, b int);
create collation app.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table app.base_uuid (id uuid, tenant_id uuid not null, org_id uuid, owner uuid, is_public boolean, note text,
    status app.status, number int, expires_at timestamptz, tags text[], payload jsonb);
create table app.base_text (id uuid, tenant_id text not null, other text, is_public boolean, note text, fixed char(12),
    short varchar(5), named name, loose text collate app.nocase);
create table app.base_int (id uuid, tenant_id bigint not null, small int, is_public boolean, amount numeric);
create table app.base_null (id uuid, tenant_id uuid, is_public boolean);
create table app.base_dom (id uuid, tenant_id app.tenant_uuid not null);
create table app.members (user_id uuid not null, tenant_id uuid not null);

create function app.t_sql() returns uuid language sql stable set search_path = pg_catalog, pg_temp
    as $$ select nullif(current_setting('app.current_tenant', true), '')::uuid $$;
create function app.t_unpinned() returns uuid language sql stable
    as $$ select nullif(current_setting('app.current_tenant', true), '')::uuid $$;
create function app.t_standard() returns uuid language sql stable
    return nullif(current_setting('app.current_tenant', true), '')::uuid;
create function app.t_atomic() returns uuid language sql stable
    begin atomic select nullif(current_setting('app.current_tenant', true), '')::uuid; end;
create function app.t_plpgsql() returns uuid language plpgsql stable
    as $$ begin return nullif(current_setting('app.current_tenant', true), '')::uuid; end $$;
create function app.t_raises() returns uuid language plpgsql stable
    as $$ begin if current_setting('app.current_tenant', true) = '' then raise 'unbound'; end if;
          return current_setting('app.current_tenant', true)::uuid; end $$;
create function app.t_immutable() returns uuid language sql immutable
    return nullif(current_setting('app.current_tenant', true), '')::uuid;
create function app.t_default() returns uuid language sql stable
    return coalesce(nullif(current_setting('app.current_tenant', true), ''), 'a0000000-0000-4000-8000-000000000001')::uuid;
create function app.t_nested() returns uuid language sql stable return app.t_standard();
create function app.t_text() returns text language sql stable security definer set search_path = ''
    as $$ select pg_catalog.current_setting('app.current_tenant', true) $$;
create function app.t_pinned() returns uuid language sql stable set app.current_tenant = 'x'
    return nullif(current_setting('app.current_tenant', true), '')::uuid;
create function app.same(a uuid, b uuid) returns boolean language sql immutable strict return a = b;
create function app.evil() returns uuid language sql stable return (select tenant_id from app.members limit 1);
create function app.may_read(id uuid) returns boolean language plpgsql stable
    as $$ begin return id is not null; end $$;
create function app.switches() returns boolean language plpgsql
    as $$ begin perform set_config('app.current_tenant', 'b', false); return true; end $$;
create function app.always_equal(a uuid, b text) returns boolean language plpgsql immutable
    as $$ begin return true; end $$;
create operator app.= (leftarg = uuid, rightarg = text, function = app.always_equal);
create function app.auth_uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
  )::uuid
$$;
grant usage on schema app to {role};
";

/// `G` stands for the plain reading of the tenant setting.
const G: &str = "current_setting('app.current_tenant', true)";

/// (base table, USING with `G`, verdicts)
#[rustfmt::skip]
const FORMS: &[(&str, &str, &str)] = &[
    // The twenty forms that pgrls was measured on (RIVALS 3.1).
    ("uuid", "tenant_id = current_setting('app.current_tenant')::uuid", "PPPP"),
    ("uuid", "tenant_id = G::uuid", "PPPP"),
    ("uuid", "tenant_id = (select G::uuid)", "PPPP"),
    ("uuid", "tenant_id = nullif(G, '')::uuid", "PPPP"),
    ("uuid", "tenant_id = (select nullif(G, '')::uuid)", "PPPP"),
    ("uuid", "tenant_id::text = G", "PPPP"),
    ("uuid", "G is null or tenant_id = G::uuid", "PRPP"),
    ("uuid", "G = '' or tenant_id::text = G", "PPRP"),
    ("text", "G = '' or tenant_id = G", "PPR"),
    ("uuid", "current_setting('app.bypass_rls', true) = 'on' or tenant_id = nullif(G, '')::uuid", "RRRU"),
    ("uuid", "tenant_id = any (string_to_array(G, ',')::uuid[])", "PPPU"),
    ("uuid", "tenant_id = (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'tenant_id')::uuid", "RRRR"),
    ("uuid", "tenant_id = coalesce(G, 'a0000000-0000-4000-8000-000000000001')::uuid", "PRPP"),
    ("null", "tenant_id = nullif(G, '')::uuid or tenant_id is null", "RRRU"),
    ("uuid", "tenant_id = nullif(G, '')::uuid or tenant_id is null", "PPPP"),
    ("uuid", "case when current_user = 'admin' then true else tenant_id = nullif(G, '')::uuid end", "PPPP"),
    ("uuid", "tenant_id = nullif(G, '')::uuid and org_id = nullif(current_setting('app.org', true), '')::uuid", "PPPP"),
    ("uuid", "tenant_id = app.t_standard()", "PPPP"),
    ("uuid", "tenant_id = app.evil()", "UUUU"),
    ("uuid", "tenant_id <> nullif(G, '')::uuid", "RPPP"),
    ("uuid", "tenant_id >= nullif(G, '')::uuid", "RPPP"),
    ("uuid", "tenant_id in (select nullif(G, '')::uuid)", "PPPP"),
    ("text", "tenant_id = current_setting('application_name')", "UUU"),
    ("text", "tenant_id = current_setting('app.curent_tenant', true)", "RRR"),
    ("uuid", "tenant_id in (select m.tenant_id from app.members m where m.user_id = nullif(current_setting('app.user', true), '')::uuid)", "UUUU"),
    // Text columns.
    ("text", "tenant_id = G", "PPU"),
    ("text", "tenant_id = current_setting('app.current_tenant')", "PPU"),
    ("text", "tenant_id = nullif(G, '')", "PPP"),
    ("text", "tenant_id = nullif(current_setting('APP.Current_Tenant', true), '')", "PPP"),
    ("text", "tenant_id::name = G::name", "RPU"),
    ("text", "tenant_id::varchar(3) = nullif(G, '')::varchar(3)", "RPP"),
    ("text", "lower(tenant_id) = lower(nullif(G, ''))", "RPP"),
    ("text", "left(tenant_id, 4) = left(nullif(G, ''), 4)", "RPP"),
    ("text", "trim(tenant_id) = trim(nullif(G, ''))", "RPP"),
    ("text", "tenant_id like nullif(G, '') || '%'", "RPP"),
    ("text", "nullif(G, '') like tenant_id", "RPP"),
    ("text", "tenant_id ~ nullif(G, '')", "RPP"),
    ("text", "starts_with(tenant_id, nullif(G, ''))", "RPP"),
    ("text", "'t:' || tenant_id = 't:' || nullif(G, '')", "PPP"),
    ("text", "tenant_id = split_part(nullif(G, ''), ':', 1)", "RPP"),
    ("text", "tenant_id = any (string_to_array(nullif(G, ''), ','))", "RPP"),
    ("text", "tenant_id in (nullif(G, ''), 'demo')", "RRR"),
    ("text", "fixed = nullif(G, '')::char(12) and tenant_id = fixed", "RPP"),
    ("text", "tenant_id collate app.nocase = nullif(G, '')", "UPP"),
    ("text", "loose = nullif(G, '') and tenant_id = loose", "UPP"),
    ("text", "tenant_id = nullif(G, '') collate \"C\"", "PPP"),
    ("text", "named = nullif(G, '') and tenant_id = named", "PPP"),
    ("text", "short = nullif(G, '') and tenant_id = short", "PPP"),
    // Integers.
    ("int", "tenant_id = nullif(G, '')::bigint", "PPPP"),
    ("int", "tenant_id = nullif(G, '')::int", "PPPP"),
    ("int", "tenant_id = G::bigint", "PPPP"),
    ("int", "tenant_id::text = nullif(G, '')", "PPPP"),
    ("int", "tenant_id::int = nullif(G, '')::int", "PPPP"),
    ("int", "small = nullif(G, '')::int and tenant_id = small", "PPPP"),
    ("int", "tenant_id::numeric = nullif(G, '')::bigint::numeric", "PPPP"),
    ("int", "tenant_id::float8 = nullif(G, '')::float8", "UUUU"),
    ("int", "left(tenant_id::text, 1) = left(nullif(G, ''), 1)", "RPPU"),
    ("int", "tenant_id between nullif(G, '')::bigint and nullif(G, '')::bigint + 0", "UPPP"),
    // NULL, and logic.
    ("null", "tenant_id is not distinct from nullif(G, '')::uuid", "PRRP"),
    ("uuid", "tenant_id is not distinct from nullif(G, '')::uuid", "PPPP"),
    ("uuid", "not (tenant_id is distinct from nullif(G, '')::uuid)", "PPPP"),
    ("uuid", "not (tenant_id <> nullif(G, '')::uuid)", "PPPP"),
    ("uuid", "(tenant_id = nullif(G, '')::uuid) is true", "PPPP"),
    ("uuid", "(tenant_id = nullif(G, '')::uuid) is not false", "PRRP"),
    ("uuid", "coalesce(tenant_id = nullif(G, '')::uuid, true)", "PRRP"),
    ("uuid", "coalesce(tenant_id = nullif(G, '')::uuid, false)", "PPPP"),
    ("uuid", "case when G is null then false when G = '' then false else tenant_id = G::uuid end", "PPPP"),
    ("uuid", "case when nullif(G, '') is null then true else tenant_id = G::uuid end", "PRRP"),
    ("uuid", "(tenant_id, true) = (nullif(G, '')::uuid, true)", "PPPP"),
    ("uuid", "(tenant_id, org_id) in (select nullif(G, '')::uuid, org_id)", "PPPP"),
    ("uuid", "is_public or tenant_id = nullif(G, '')::uuid", "RRRU"),
    ("uuid", "status = 'published' or tenant_id = nullif(G, '')::uuid", "RRRU"),
    ("uuid", "expires_at > now() or tenant_id = nullif(G, '')::uuid", "RRRU"),
    ("uuid", "expires_at > now() and tenant_id = nullif(G, '')::uuid", "PPPP"),
    ("uuid", "tenant_id = nullif(G, '')::uuid and (is_public or not is_public or number in (1, 2))", "PPPP"),
    ("uuid", "true", "RRRR"),
    ("uuid", "false", "PPPP"),
    ("uuid", "note = 'x' and tenant_id::text = note", "PPPP"),
    ("uuid", "org_id = nullif(G, '')::uuid and tenant_id = org_id", "PPPP"),
    ("uuid", "org_id = nullif(G, '')::uuid", "RPPP"),
    ("uuid", "tenant_id = any (array[nullif(G, '')::uuid])", "PPPP"),
    ("uuid", "tenant_id = all (array[nullif(G, '')::uuid])", "PPPP"),
    ("uuid", "tenant_id = all ('{}'::uuid[])", "RRRR"),
    ("uuid", "tenant_id = 'a0000000-0000-4000-8000-000000000001'", "RRRR"),
    ("uuid", "nullif(tenant_id = nullif(G, '')::uuid, false)", "PPPP"),
    // Functions.
    ("uuid", "tenant_id = app.t_sql()", "PPPP"),
    ("uuid", "tenant_id = app.t_unpinned()", "PPPP"),
    ("uuid", "tenant_id = app.t_atomic()", "PPPP"),
    ("uuid", "tenant_id = (select app.t_plpgsql())", "PPPP"),
    ("uuid", "tenant_id = app.t_raises()", "UUUU"),
    ("uuid", "tenant_id = app.t_immutable()", "UUUU"),
    ("uuid", "tenant_id = app.t_default()", "PRRP"),
    ("uuid", "tenant_id = app.t_nested()", "PPPP"),
    ("uuid", "tenant_id::text = app.t_text()", "PPPP"),
    ("uuid", "tenant_id = app.t_pinned()", "UUUU"),
    ("uuid", "app.same(tenant_id, nullif(G, '')::uuid)", "PPPP"),
    ("uuid", "tenant_id = nullif(G, '')::uuid and app.may_read(id)", "PPPP"),
    ("uuid", "tenant_id = nullif(G, '')::uuid and app.switches()", "UUUU"),
    ("uuid", "tenant_id = nullif(G, '')::uuid or app.may_read(id)", "UUUU"),
    ("uuid", "tenant_id operator(app.=) G", "UUUU"),
    ("uuid", "tenant_id = app.auth_uid()", "RRRR"),
    ("uuid", "set_config('app.current_tenant', 'x', false) is not null and tenant_id = G::uuid", "UUUU"),
    // Other settings, roles, domains.
    ("uuid", "tenant_id = nullif(G, '')::uuid and current_setting('app.feature', true) = 'on'", "PPPP"),
    ("text", "tenant_id = current_user", "RRR"),
    ("text", "tenant_id = current_setting('tenant', true)", "PPP"),
    ("dom", "tenant_id = nullif(G, '')::uuid", "PPPP"),
    ("dom", "tenant_id = nullif(G, '')::app.tenant_uuid", "PPPP"),
    ("uuid", "exists (select 1 where tenant_id = nullif(G, '')::uuid)", "PPPP"),
    ("uuid", "exists (select 1 from app.members m where m.tenant_id = base.tenant_id and m.tenant_id = nullif(G, '')::uuid)", "PPPP"),
    ("uuid", "not exists (select 1 from app.members m where m.tenant_id = base.tenant_id)", "UUUU"),
    ("uuid", "tenant_id = (with q as (select nullif(G, '')::uuid as t) select t from q)", "PPPP"),
    ("uuid", "exists (select 1 from app.members m left join app.members n on n.tenant_id = nullif(G, '')::uuid where m.tenant_id = base.tenant_id)", "UUUU"),
    ("uuid", "tenant_id = any (array(select m.tenant_id from app.members m where m.tenant_id = nullif(G, '')::uuid))", "PPPP"),
    ("uuid", "payload ->> 'tenant' = G and tenant_id::text = payload ->> 'tenant'", "PPPP"),
    // What a sub-select from a function gives is not known, not even whether it gives a row.
    ("uuid", "not exists (select from unnest(tags) tag where tenant_id <> G::uuid)", "UUUU"),
    ("uuid", "(select tenant_id = G::uuid from unnest(tags)) is not false", "UUUU"),
    ("uuid", "exists (select from unnest(tags) tag where tenant_id = nullif(G, '')::uuid)", "PPPP"),
    // The session can change a setting between two places that read it.
    ("uuid", "tenant_id = current_setting('app.x', true)::uuid and current_setting('app.x', true) = G", "UPUU"),
    ("uuid", "tenant_id = greatest(nullif(G, '')::uuid, org_id)", "UUUU"),
];

fn table(index: usize) -> String {
    format!("t{index:03}")
}

#[tokio::test]
async fn every_form_has_the_verdicts_it_deserves() {
    let fixture = Fixture::new("proof_corpus", SETUP).await;
    fixture.run("set search_path = app, public").await;
    for (index, (base, using, _)) in FORMS.iter().enumerate() {
        let table = table(index);
        let using = using.replace("base.", &format!("{table}.")).replace('G', G);
        let sql = format!(
            "create table {table} (like app.base_{base}); alter table {table} enable row level security;
             create policy p on {table} using ({using}); grant select on {table} to {{role}};"
        );
        fixture.run(&sql).await;
    }
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    let mut wrong = Vec::new();
    for (index, (base, using, expected)) in FORMS.iter().enumerate() {
        let verdict = prove(&prover, &catalog, &table(index), "tenant_id", Command::Select);
        if letters(&verdict) != *expected {
            let (got, said) = (letters(&verdict), describe(&verdict));
            wrong.push(format!(
                "{base}: {using}\n  expected {expected}, got {got}\n{said}"
            ));
        }
        for (aspect, counterexample) in counterexamples(&verdict) {
            let said = fixture.replay(counterexample).await;
            if said != [Some("t".to_owned())] {
                let verdict = describe(&verdict);
                wrong.push(format!(
                    "{base}: {using}\n  {aspect:?}: PostgreSQL says {said:?}\n{verdict}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
