//! Several policies, commands that write, and tables that belong to a tenant through other tables.

use rls_tool::catalog::Catalog;
use rls_tool::proof::{
    Command, Membership, Prover, Scope, Session, Shared, Statement, Symbols, TablePolicies, Tenancy,
};

use super::harness::{Fixture, attnum, counterexamples, describe, letters};

/// `G` stands for the tenant, NULL where there is none.
const G: &str = "nullif(current_setting('app.current_tenant', true), '')::uuid";

/// (table, its policies, commands with their verdicts)
type Combination = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

/// The verdicts' order is that of [`rls_tool::proof::Aspect::of`].
#[rustfmt::skip]
const COMBINATIONS: &[Combination] = &[
    ("one", &["all using (tenant_id = G)"], &[("r", "PPPP"), ("a", "PPPP"), ("w", "PPPPP"), ("d", "PPPP")]),
    ("check_true", &["all using (tenant_id = G) with check (true)"],
        &[("r", "PPPP"), ("a", "RRRR"), ("w", "PRPPP"), ("d", "PPPP")]),
    ("using_true", &["all using (true) with check (tenant_id = G)"],
        &[("r", "RRRR"), ("a", "PPPP"), ("w", "RPPPP"), ("d", "RRRR")]),
    ("for_select", &["select using (tenant_id = G)"], &[("r", "PPPP"), ("a", "PPPP"), ("w", "PPPPP"), ("d", "PPPP")]),
    ("floor", &["all using (true)", "as restrictive all using (tenant_id = G)"],
        &[("r", "PPPP"), ("a", "PPPP"), ("w", "PPPPP"), ("d", "PPPP")]),
    ("only_restrictive", &["as restrictive all using (is_public)"], &[("r", "PPPP"), ("d", "PPPP")]),
    ("opened", &["all using (tenant_id = G)", "select using (is_public)"],
        &[("r", "RRRU"), ("a", "PPPP"), ("w", "PPPPP"), ("d", "PPPP")]),
    ("other_role", &["all using (tenant_id = G)", "all to pg_monitor using (true)"], &[("r", "PPPP"), ("d", "PPPP")]),
    ("two_halves", &["all using (org_id = G)", "as restrictive all using (tenant_id = org_id)"],
        &[("r", "PPPP"), ("a", "PPPP"), ("w", "PPPPP")]),
    ("delete_open", &["select using (tenant_id = G)", "delete using (number > 3)"], &[("r", "PPPP"), ("d", "RRRR")]),
];

async fn fixture(hint: &str) -> Fixture {
    let setup = "create schema app; set search_path = app, public;
        create table base (id uuid, tenant_id uuid not null, org_id uuid, is_public boolean, number int);
        grant usage on schema app to {role};";
    let fixture = Fixture::new(hint, setup).await;
    fixture.run("set search_path = app, public").await;
    fixture
}

async fn make(fixture: &Fixture, table: &str, policies: &[&str]) {
    fixture.run(&format!("create table {table} (like base)")).await;
    guard(fixture, table, policies).await;
}

async fn guard(fixture: &Fixture, table: &str, policies: &[&str]) {
    fixture
        .run(&format!(
            "alter table {table} enable row level security; grant all on {table} to {{role}}"
        ))
        .await;
    for (number, policy) in policies.iter().enumerate() {
        let policy = match policy.strip_prefix("as restrictive ") {
            Some(rest) => format!("as restrictive for {rest}"),
            None => format!("for {policy}"),
        };
        fixture
            .run(&format!(
                "create policy p{number} on {table} {}",
                policy.replace('G', G)
            ))
            .await;
    }
}

fn prove(
    prover: &Prover<'_>,
    catalog: &Catalog,
    table: &str,
    scope: &Scope,
    command: impl Into<Statement>,
) -> String {
    let relation = catalog.relation_named("app", table).unwrap();
    let verdict = prover.prove(&TablePolicies::of(relation), scope, command);
    #[expect(clippy::print_stdout, reason = "shown where the test fails")]
    {
        println!("{table}:\n{}", describe(&verdict));
    }
    letters(&verdict)
}

#[tokio::test]
async fn policies_are_put_together_as_postgresql_does_it() {
    let fixture = fixture("proof_combined").await;
    for (table, policies, _) in COMBINATIONS {
        make(&fixture, table, policies).await;
    }
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    for (table, _, expected) in COMBINATIONS {
        let scope = Scope::column(attnum(&catalog, table, "tenant_id"));
        for (command, letters) in *expected {
            let command = match *command {
                "r" => Command::Select,
                "a" => Command::Insert,
                "w" => Command::Update,
                _ => Command::Delete,
            };
            assert_eq!(
                prove(&prover, &catalog, table, &scope, command),
                *letters,
                "{command:?} on {table}"
            );
            let relation = catalog.relation_named("app", table).unwrap();
            let verdict = prover.prove(&TablePolicies::of(relation), &scope, command);
            for (aspect, counterexample) in counterexamples(&verdict) {
                let said = fixture.replay(counterexample).await;
                assert!(
                    said.iter().all(|value| value.as_deref() == Some("t")),
                    "{table} {aspect:?}: {said:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_statement_that_reads_obeys_the_select_policies_besides() {
    let fixture = fixture("proof_reads").await;
    make(
        &fixture,
        "t",
        &[
            "select using (tenant_id = G)",
            "update using (true) with check (tenant_id = G)",
        ],
    )
    .await;
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    let scope = Scope::column(attnum(&catalog, "t", "tenant_id"));
    assert_eq!(prove(&prover, &catalog, "t", &scope, Command::Update), "RPPPP");
    let reading = Statement {
        command: Command::Update,
        reads: true,
    };
    assert_eq!(prove(&prover, &catalog, "t", &scope, reading), "PPPPP");
    // Where the tenant column cannot be changed, the new row's tenant is the old one's.
    let fixed = Scope {
        fixed_columns: [attnum(&catalog, "t", "tenant_id")].into(),
        ..scope
    };
    assert_eq!(prove(&prover, &catalog, "t", &fixed, Command::Update), "PPPPP");
}

#[tokio::test]
async fn row_security_that_does_not_apply_is_refuted() {
    let fixture = fixture("proof_exempt").await;
    make(&fixture, "off", &["all using (tenant_id = G)"]).await;
    make(&fixture, "owned", &["all using (tenant_id = G)"]).await;
    make(&fixture, "forced", &["all using (tenant_id = G)"]).await;
    fixture
        .run(
            "alter table off disable row level security; alter table owned owner to {role};
                 alter table forced owner to {role}; alter table forced force row level security",
        )
        .await;
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    for (table, letters) in [("off", "RRRR"), ("owned", "RRRR"), ("forced", "PPPP")] {
        let scope = Scope::column(attnum(&catalog, table, "tenant_id"));
        assert_eq!(
            prove(&prover, &catalog, table, &scope, Command::Select),
            letters,
            "{table}"
        );
    }
}

#[tokio::test]
async fn children_belong_to_whom_their_proven_parent_belongs_to() {
    let fixture = fixture("proof_children").await;
    fixture
        .run(
            "create table parent (id uuid primary key, tenant_id uuid not null);
                 create table child (id uuid, parent_id uuid not null references parent, other_id uuid);
                 create table sibling (like child);
                 create table loose (like child)",
        )
        .await;
    guard(&fixture, "parent", &["all using (tenant_id = G)"]).await;
    guard(
        &fixture,
        "child",
        &["all using (exists (select from parent p where p.id = parent_id))"],
    )
    .await;
    guard(
        &fixture,
        "sibling",
        &["all using (parent_id in (select id from parent where tenant_id = G))"],
    )
    .await;
    // Another column than the one by which it belongs.
    guard(
        &fixture,
        "loose",
        &["all using (exists (select from parent p where p.id = other_id))"],
    )
    .await;
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let parent = catalog.relation_named("app", "parent").unwrap().oid;
    let tenancy = Tenancy::Columns(vec![attnum(&catalog, "parent", "tenant_id")]);
    let mut session = fixture.session(&catalog);
    session.tenancies.insert(parent, tenancy.clone());
    let mut prover = Prover::new(&symbols, session);
    let scope = |table| {
        Scope::from(Tenancy::Parent {
            columns: vec![attnum(&catalog, table, "parent_id")],
            parent,
            parent_columns: vec![attnum(&catalog, "parent", "id")],
        })
    };
    assert_eq!(
        prove(&prover, &catalog, "child", &scope("child"), Command::Select),
        "UUUU",
        "parent not proven"
    );
    prover.learn(parent, tenancy);
    assert_eq!(
        prove(&prover, &catalog, "child", &scope("child"), Command::Select),
        "PPPP"
    );
    assert_eq!(
        prove(&prover, &catalog, "child", &scope("child"), Command::Update),
        "PPPPP"
    );
    // It names the tenant itself, so that it does not depend on the parent's policy.
    assert_eq!(
        prove(&prover, &catalog, "sibling", &scope("sibling"), Command::Select),
        "PPPP"
    );
    let loose = prove(&prover, &catalog, "loose", &scope("loose"), Command::Select);
    assert!(loose.starts_with('U') || loose.starts_with('R'), "{loose}");
}

#[tokio::test]
async fn a_membership_table_proves_only_where_the_role_cannot_write_it() {
    let fixture = fixture("proof_members").await;
    fixture
        .run(
            "create table members (user_id uuid not null, tenant_id uuid not null);
                 grant select on members to {role}",
        )
        .await;
    let policy = "all using (tenant_id in (select m.tenant_id from members m
                  where m.user_id = nullif(current_setting('app.user', true), '')::uuid))";
    make(&fixture, "t", &[policy]).await;
    let verdict = async |fixture: &Fixture| {
        let catalog = fixture.catalog().await;
        let symbols = Symbols::of(&catalog);
        let members = catalog.relation_named("app", "members").unwrap().oid;
        let session = Session {
            binding: [("app.user".to_owned(), "{user}".to_owned())].into(),
            memberships: vec![Membership {
                relation: members,
                key: attnum(&catalog, "members", "user_id"),
                placeholder: "user".into(),
                tenant: attnum(&catalog, "members", "tenant_id"),
            }],
            ..fixture.session(&catalog)
        };
        let prover = Prover::new(&symbols, session);
        let scope = Scope::column(attnum(&catalog, "t", "tenant_id"));
        prove(&prover, &catalog, "t", &scope, Command::Select)
    };
    assert_eq!(verdict(&fixture).await, "PPPU");
    fixture
        .run("grant insert (user_id, tenant_id) on members to {role}")
        .await;
    assert_eq!(
        verdict(&fixture).await,
        "UPPU",
        "a role that can write it says who is a member"
    );
}

#[tokio::test]
async fn shared_rows_excuse_reading_and_never_writing() {
    let fixture = fixture("proof_shared").await;
    fixture
        .run("alter table base alter tenant_id drop not null")
        .await;
    make(&fixture, "t", &["all using (tenant_id = G or tenant_id is null)"]).await;
    let catalog = fixture.catalog().await;
    let symbols = Symbols::of(&catalog);
    let prover = Prover::new(&symbols, fixture.session(&catalog));
    let scope = Scope::column(attnum(&catalog, "t", "tenant_id"));
    assert_eq!(prove(&prover, &catalog, "t", &scope, Command::Select), "RRRU");
    let shared = Scope {
        shared: vec![Shared::NoTenant],
        ..scope
    };
    assert_eq!(prove(&prover, &catalog, "t", &shared, Command::Select), "PPPP");
    assert_eq!(prove(&prover, &catalog, "t", &shared, Command::Insert), "RRRU");
}
