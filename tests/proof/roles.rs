//! Whom policies are for, who owns the table, and which rows lie below it: each case with the verdict it deserves and what
//! the role really reads.

use rls_tool::proof::{Command, Prover, Symbols};

use super::harness::{Fixture, describe, letters, prove};

struct Case {
    name: &'static str,
    /// Makes the table `t`, empty, or with what lies below it. `{g}` is another role.
    sql: &'static str,
    /// The table that is read.
    table: &'static str,
    expected: &'static str,
    /// Whether a session bound to `a` reads a row of `b`.
    leaks: bool,
}

const OWN: &str = "tenant_id = nullif(current_setting('app.current_tenant', true), '')";

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "a policy for everybody besides one for the role", table: "t", expected: "RRR", leaks: true,
        sql: "create policy own on t to {role} using (OWN); create policy everybody on t for select using (true);" },
    Case { name: "a policy for a role whose privileges it inherits", table: "t", expected: "RRR", leaks: true,
        sql: "create policy own on t using (OWN); create policy ofgroup on t to {g} using (true); grant {g} to {role};" },
    Case { name: "a policy for a role that it is a member of without inheriting", table: "t", expected: "PPP", leaks: false,
        sql: "alter role {role} noinherit; create policy own on t using (OWN); create policy ofgroup on t to {g} using (true);
              grant {g} to {role};" },
    Case { name: "a policy for a role that it is no member of", table: "t", expected: "PPP", leaks: false,
        sql: "create policy own on t using (OWN); create policy ofgroup on t to {g} using (true);" },
    Case { name: "only a restrictive policy for the role", table: "t", expected: "PPP", leaks: false,
        sql: "create policy own on t to {g} using (OWN); create policy floor on t as restrictive using (note is null);" },
    Case { name: "an open policy above which one for everybody is restrictive", table: "t", expected: "PPP", leaks: false,
        sql: "create policy open on t to {role} using (true); create policy border on t as restrictive using (OWN);" },
    Case { name: "a restrictive policy for another role", table: "t", expected: "RRR", leaks: true,
        sql: "create policy open on t using (true); create policy border on t as restrictive to {g} using (OWN);" },
    Case { name: "a table that belongs to a role whose privileges it inherits", table: "t", expected: "RRR", leaks: true,
        sql: "create policy own on t using (OWN); alter table t owner to {g}; grant {g} to {role};" },
    Case { name: "such a table with FORCE", table: "t", expected: "PPP", leaks: false,
        sql: "create policy own on t using (OWN); alter table t owner to {g}; alter table t force row level security;
              grant {g} to {role};" },
    Case { name: "a table that belongs to a role that it must first become", table: "t", expected: "PPP", leaks: false,
        sql: "alter role {role} noinherit; create policy own on t using (OWN); alter table t owner to {g};
              grant select on t to {role}; grant {g} to {role};" },
    Case { name: "a helper that belongs to a role that it may become", table: "t", expected: "UUU", leaks: false,
        sql: "alter role {role} noinherit; create function tenant_now() returns text language sql stable
              return nullif(current_setting('app.current_tenant', true), ''); alter function tenant_now() owner to {g};
              grant {g} to {role}; create policy own on t using (tenant_id = app.tenant_now());" },
    Case { name: "row security switched off", table: "t", expected: "RRR", leaks: true,
        sql: "create policy own on t using (OWN); alter table t disable row level security;" },
    Case { name: "a partitioned table, with a partition that has no policy", table: "p", expected: "PPP", leaks: false,
        sql: PARTITIONED },
    Case { name: "that partition by its own name", table: "p_all", expected: "RRR", leaks: true, sql: PARTITIONED },
    Case { name: "an inheritance child of which the parent's policies say enough", table: "t", expected: "PPP", leaks: false,
        sql: "create policy own on t using (OWN); create table heir () inherits (t); insert into heir values ('b'), ('a');" },
    Case { name: "that child by its own name", table: "heir", expected: "RRR", leaks: true,
        sql: "create policy own on t using (OWN); create table heir () inherits (t); insert into heir values ('b'), ('a');
              grant select on heir to {role};" },
    Case { name: "a constraint that inheritance children need not satisfy", table: "t", expected: "RRR", leaks: true,
        sql: "alter table t add check (note = tenant_id) no inherit; create table heir () inherits (t);
              insert into heir values ('b', 'a');
              create policy own on t using (note = nullif(current_setting('app.current_tenant', true), '') or note is null);" },
];

const PARTITIONED: &str = "create table p (tenant_id text not null, note text) partition by list (tenant_id);
    create table p_all partition of p default; insert into p values ('a'), ('b');
    alter table p enable row level security; create policy own on p using (OWN); grant select on p, p_all to {role};";

#[tokio::test]
async fn roles_owners_and_children_count_as_they_do_in_postgresql() {
    for (index, case) in CASES.iter().enumerate() {
        let fixture = Fixture::new(
            &format!("proof_roles_{index}"),
            "create schema app; grant usage on schema app to {role};",
        )
        .await;
        let group = format!("{}_g", fixture.role);
        let sql = format!(
            "create role {group}; grant create on schema app to {group}; set search_path = app;
             create table t (tenant_id text not null, note text); alter table t enable row level security;
             grant select on t to {{role}}; {}",
            case.sql
        );
        fixture.run(&sql.replace("OWN", OWN).replace("{g}", &group)).await;
        if !case.sql.contains("no inherit") {
            fixture.run("insert into app.t values ('a'), ('b')").await;
        }
        let catalog = fixture.catalog().await;
        let symbols = Symbols::of(&catalog);
        let prover = Prover::new(&symbols, fixture.session(&catalog));
        let verdict = prove(&prover, &catalog, case.table, "tenant_id", Command::Select);
        assert_eq!(
            letters(&verdict),
            case.expected,
            "{}\n{}",
            case.name,
            describe(&verdict)
        );
        let client = fixture.database.client_as(&fixture.role).await;
        client
            .batch_execute("set app.current_tenant = 'a'")
            .await
            .unwrap();
        let foreign = format!("select count(*) from app.{} where tenant_id <> 'a'", case.table);
        let seen: i64 = client.query_one(&foreign, &[]).await.unwrap().get(0);
        assert_eq!(seen > 0, case.leaks, "{}: {seen} foreign rows", case.name);
    }
}

/// What a foreign server holds satisfies nothing that is declared here.
#[tokio::test]
async fn rows_of_foreign_partitions_may_have_no_tenant() {
    let setup = "create schema app; grant usage on schema app to {role}; set search_path = app;
        create foreign data wrapper nobody; create server nowhere foreign data wrapper nobody;
        create table p (tenant_id text not null, note text, check (note = tenant_id)) partition by list (note);
        create table p_here partition of p for values in ('x');
        create table q (tenant_id text not null, note text, check (note = tenant_id)) partition by list (note);
        create table q_here partition of q for values in ('x');
        create foreign table q_there partition of q default server nowhere;
        alter table p enable row level security; alter table q enable row level security;
        create policy own on p using (note = nullif(current_setting('app.current_tenant', true), '') or tenant_id is null);
        create policy own on q using (note = nullif(current_setting('app.current_tenant', true), '') or tenant_id is null);";
    let fixture = Fixture::new("proof_foreign", setup).await;
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    let here = prove(&prover, &catalog, "p", "tenant_id", Command::Select);
    assert_eq!(letters(&here), "PPP", "{}", describe(&here));
    let there = prove(&prover, &catalog, "q", "tenant_id", Command::Select);
    assert!(!letters(&there).contains('P'), "{}", describe(&there));
}
