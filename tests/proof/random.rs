//! Random policies, each verdict compared with what PostgreSQL itself says of every row under every setting.
//!
//! PostgreSQL may not contradict a `proven`: no other row may pass. And each counterexample must be one.

use std::collections::BTreeSet;

use rls_tool::catalog::Catalog;
use rls_tool::proof::{
    Aspect, Command, CommandVerdict, Prover, Scope, Session, Symbols, TablePolicies, Verdict,
};
use tokio_postgres::Client;

use super::expressions::{Case, Expressions, Numbers};
use super::harness::{Fixture, attnum, counterexamples, describe, letters};

const SETUP: &str = "
revoke create on schema public from public;
create schema app;
grant usage on schema app to {role};
create function app.tenant() returns {type} language sql stable
    return nullif(current_setting('app.current_tenant', true), '')::{type};
create function app.tenant_by_text() returns {type} language sql stable set search_path = pg_catalog, pg_temp
    as $$ select nullif(current_setting('app.current_tenant', true), '')::{type} $$;
create function app.either(one {type}, other {type}) returns {type} language sql immutable return coalesce(one, other);
create function app.alike(one {type}, other {type}) returns boolean language sql immutable strict return one = other;
create table app.m (tenant_id {type}, owner {type});
grant select on app.m to {role};
insert into app.m values ({a}, {a}), ({b}, {a}), ({b}, {b}), (null, {b});
create table app.t (id int, tenant_id {type} {null}, owner {type}, flag boolean);
insert into app.t select row_number() over (), t, o, f
  from unnest(array[{a}, {b}, {c}, null]::{type}[]) t, unnest(array[{a}, {b}, null]::{type}[]) o,
       unnest(array[true, false, null]) f where t is not null or '{null}' = '';
-- The rows that pass each expression. One that raises an error does not pass; it must not keep others from passing.
analyze app.m, app.t;
create function app.judge(expressions text[]) returns table (place int, passing int[]) language plpgsql set jit = off as $$
declare one int;
begin
  for place in 1 .. cardinality(expressions) loop
    begin
      execute format('select array(select id from app.t where (%s) is true)', expressions[place]) into passing;
    exception when others then
      passing := '{}';
      for one in select id from app.t loop
        begin
          execute format('select $1 || array(select id from (select * from app.t where id = $2 offset 0) t
                          where (%s) is true)', expressions[place]) into passing using passing, one;
        exception when others then null;
        end;
      end loop;
    end;
    return next;
  end loop;
end $$;
";

/// How many policies a table has at once.
const BATCH: usize = 250;

/// Kinds of tenant column: type, constraint, two tenants, another value.
const KINDS: &[(&str, &str, [&str; 3])] = &[
    ("text", "not null", ["'a'", "'b'", "'ab'"]),
    ("text", "", ["'a'", "'b'", "''"]),
    ("int", "not null", ["1", "2", "12"]),
    ("varchar(2)", "not null", ["'a'", "'b'", "'ab'"]),
    ("char(3)", "not null", ["'a'", "'b'", "'ab'"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_policies_are_never_proven_against_postgresql() {
    run(0x5eed, 2_500).await;
}

/// `RLS_PROOF_CASES=100000 cargo test --release --test proof random -- --ignored`; `RLS_PROOF_SEED` chooses others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn random_policies_in_a_long_run() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    run(
        number("RLS_PROOF_SEED", 1),
        usize::try_from(number("RLS_PROOF_CASES", 100_000)).unwrap(),
    )
    .await;
}

/// Runs so many cases, spread over the kinds of tables.
async fn run(seed: u64, cases: usize) {
    let each = cases.div_ceil(KINDS.len());
    // A task each: proving takes seconds at a time, in which no other future of the same task would move on.
    let kinds = KINDS
        .iter()
        .zip(0..)
        .map(|(kind, nth)| tokio::spawn(one_kind(kind, seed + nth, each)));
    let counts: Vec<Counts> = futures_util::future::try_join_all(kinds).await.unwrap();
    let sum = |which: fn(&Counts) -> usize| counts.iter().map(which).sum::<usize>();
    let (cases, proven, refuted) = (sum(|c| c.cases), sum(|c| c.proven), sum(|c| c.refuted));
    #[expect(clippy::print_stdout, reason = "the long run's result")]
    {
        println!("{cases} cases: in {proven} an aspect was proven, in {refuted} one was refuted");
    }
    // A test that proves nothing shows nothing.
    assert!(
        proven * 10 > cases && refuted * 10 > cases,
        "{cases} cases, {proven} proven, {refuted} refuted"
    );
}

#[derive(Default)]
struct Counts {
    cases: usize,
    proven: usize,
    refuted: usize,
}

/// A session's settings: the tenant's and the one that it chooses itself; `None` was never set.
type Settings = (Option<&'static str>, Option<&'static str>);

async fn one_kind(
    (ty, null, [a, b, c]): &(&str, &str, [&'static str; 3]),
    seed: u64,
    cases: usize,
) -> Counts {
    let setup = SETUP.replace("{type}", ty).replace("{null}", null);
    let setup = setup.replace("{a}", a).replace("{b}", b).replace("{c}", c);
    let fixture = Fixture::new("proof_random", &setup).await;
    let mut expressions = Expressions {
        numbers: Numbers(seed),
        number: *ty == "int",
    };
    let mut counts = Counts::default();
    while counts.cases < cases {
        let count = BATCH.min(cases - counts.cases);
        let batch: Vec<_> = (0..count).map(|_| expressions.case()).collect();
        fixture
            .run("drop table if exists app.policies; create table app.policies (like app.t)")
            .await;
        let mut sql = String::new();
        for (number, case) in batch.iter().enumerate() {
            for (nth, policy) in case.policies.iter().enumerate() {
                let kind = if policy.permissive {
                    "permissive"
                } else {
                    "restrictive"
                };
                let command = policy.command.map_or("ALL", Command::keyword);
                let mut policy_sql =
                    format!("create policy \"{number}.{nth}\" on app.policies as {kind} for {command}");
                for (word, expression) in [("using", &policy.using), ("with check", &policy.check)] {
                    if let Some(expression) = expression {
                        // The table's name is the rows' in all of them.
                        let expression = expression.replace("t.owner", "policies.owner");
                        policy_sql.extend([" ", word, " (", &expression, ")"]);
                    }
                }
                sql.extend([&policy_sql, ";\n"]);
            }
        }
        fixture.run(&sql).await;
        let catalog = fixture.catalog().await;
        let verdicts = verdicts(&fixture, &catalog, &batch);
        let rows = fixture
            .client
            .query("select id, tenant_id::text from app.t", &[])
            .await
            .unwrap();
        let tenants: Vec<(i32, Option<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        #[expect(clippy::print_stdout, reason = "how far a long run is")]
        if counts.cases % 5_000 == 0 {
            println!("{ty}: {} cases so far", counts.cases);
        }
        compare(&fixture, [a, b], &batch, &verdicts, &tenants).await;
        for (number, (case, verdict)) in batch.iter().zip(&verdicts).enumerate() {
            counts.cases += 1;
            counts.proven += usize::from(letters(verdict).contains('P'));
            counts.refuted += usize::from(letters(verdict).contains('R'));
            // Running each would take long; what one case's counterexample shows, others' show as well.
            if number % 25 == 0 {
                for (aspect, counterexample) in counterexamples(verdict) {
                    let said = fixture.replay(counterexample).await;
                    let context = (case, aspect, &counterexample.sql);
                    assert!(
                        said.iter().all(|value| value.as_deref() == Some("t")),
                        "{context:#?}"
                    );
                }
            }
        }
    }
    counts
}

fn verdicts(fixture: &Fixture, catalog: &Catalog, batch: &[Case]) -> Vec<CommandVerdict> {
    let symbols = Symbols::of(catalog);
    let session = Session {
        binding: [("request.jwt.claims".to_owned(), claims("{tenant}"))].into(),
        ..fixture.session(catalog)
    };
    let prover = Prover::new(&symbols, session);
    let relation = catalog.relation_named("app", "policies").unwrap();
    let all = TablePolicies::of(relation);
    let scope = Scope::column(attnum(catalog, "policies", "tenant_id"));
    let cases = batch.iter().enumerate().map(|(number, case)| {
        let name = format!("{number}.");
        let policies = all
            .policies
            .iter()
            .filter(|policy| policy.name.starts_with(&name));
        let table = TablePolicies {
            row_security: true,
            policies: policies.cloned().collect(),
            ..all.clone()
        };
        prover.prove(&table, &scope, case.command)
    });
    cases.collect()
}

fn claims(tenant: &str) -> String {
    format!(r#"{{"tenant":"{tenant}"}}"#)
}

/// The rows that pass what is there, and those that pass what is written.
type Passing = [BTreeSet<i32>; 2];

/// Asks PostgreSQL about every case under all settings for which something was proven.
async fn compare(
    fixture: &Fixture,
    [a, b]: [&'static str; 2],
    batch: &[Case],
    verdicts: &[CommandVerdict],
    tenants: &[(i32, Option<String>)],
) {
    let (a, b) = (a.trim_matches('\''), b.trim_matches('\''));
    // A setting that was set once cannot be unset: each way of having set them is a session of its own.
    for (has_tenant, has_other) in [(false, false), (false, true), (true, false), (true, true)] {
        let client = fixture.database.admin().await;
        let bindings: &[_] = if has_tenant { &[Some(a), Some("")] } else { &[None] };
        let others: &[_] = if has_other {
            &[Some(""), Some(a), Some(b)]
        } else {
            &[None]
        };
        for tenant in bindings {
            let proven: Vec<(&Case, &CommandVerdict)> = batch
                .iter()
                .zip(verdicts)
                .filter(|(_, verdict)| {
                    let mut asked = aspects(*tenant).iter();
                    asked.any(|aspect| verdict.aspect(*aspect).is_some_and(Verdict::is_proven))
                })
                .collect();
            let filters = proven
                .iter()
                .map(|(case, _)| [case.filter(false), case.filter(true)]);
            let filters: Vec<String> = filters.flatten().collect();
            // Many are the same: a policy without a check of its own.
            let distinct: Vec<&String> = filters.iter().collect::<BTreeSet<_>>().into_iter().collect();
            for other in others {
                let passing = judge(&client, (*tenant, *other), &distinct).await;
                let of = |filter: &String| passing[distinct.binary_search(&filter).unwrap()].clone();
                for ((case, verdict), pair) in proven.iter().zip(filters.chunks(2)) {
                    check(
                        case,
                        verdict,
                        (*tenant, *other),
                        &[of(&pair[0]), of(&pair[1])],
                        tenants,
                    );
                }
            }
        }
    }
}

/// What is asked of a session that is bound so.
fn aspects(tenant: Option<&str>) -> &'static [Aspect] {
    match tenant {
        None => &[Aspect::NeverSet],
        Some("") => &[Aspect::EmptyString],
        Some(_) => &[Aspect::Row, Aspect::WrittenRow],
    }
}

async fn judge(client: &Client, (tenant, other): Settings, expressions: &[&String]) -> Vec<BTreeSet<i32>> {
    let claims = tenant.map(|tenant| {
        if tenant.is_empty() {
            String::new()
        } else {
            claims(tenant)
        }
    });
    let settings = [
        ("app.current_tenant", tenant),
        ("request.jwt.claims", claims.as_deref()),
        ("app.x", other),
    ];
    for (name, value) in settings {
        if let Some(value) = value {
            client
                .execute("select set_config($1, $2, false)", &[&name, &value])
                .await
                .unwrap();
        }
    }
    let rows = client
        .query("select passing from app.judge($1)", &[&expressions])
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.get::<_, Vec<i32>>(0).into_iter().collect())
        .collect()
}

/// No row passes that a proven aspect excludes.
fn check(
    case: &Case,
    verdict: &CommandVerdict,
    settings: Settings,
    [old, new]: &Passing,
    tenants: &[(i32, Option<String>)],
) {
    let asked = aspects(settings.0);
    let is_bound = asked.len() > 1;
    // An UPDATE needs a row that is there and one that is written.
    let (old, new) = match case.command {
        Command::Select | Command::Delete => (Some(old), None),
        Command::Insert => (None, Some(new)),
        Command::Update if old.is_empty() || new.is_empty() => (None, None),
        Command::Update => (Some(old), Some(new)),
    };
    for (aspect, rows) in [(Aspect::Row, old), (Aspect::WrittenRow, new)] {
        let asked = if is_bound { aspect } else { asked[0] };
        let foreign = tenants.iter().find(|(id, tenant)| {
            let is_own = is_bound && tenant.as_deref() == settings.0;
            rows.is_some_and(|rows| rows.contains(id)) && !is_own
        });
        let is_proven = verdict.aspect(asked).is_some_and(Verdict::is_proven);
        if let (true, Some(row)) = (is_proven, foreign) {
            panic!(
                "{case:#?}\n{settings:?} lets {row:?} through, yet:\n{}",
                describe(verdict)
            );
        }
    }
}
