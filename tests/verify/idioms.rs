//! The ways in which real projects keep tenants apart: each is understood, and none of the right ones is an error.

use rls_tool::audit::DoorVerdict::{Proven, Undecided};
use rls_tool::audit::{Audit, Command, DoorKind, DoorVerdict, Report, Severity};
use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::model::{Config, Model, Scope};

use crate::support::Database;

/// The catalog of a database that `sql` makes, which is rolled back.
pub(crate) async fn catalog_of(sql: &str) -> Catalog {
    let database = Database::create("idiom").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    // Before PostgreSQL 15 everybody may create objects in public, which is a finding of its own.
    let closed = format!("revoke create on schema public from public; {sql}");
    transaction
        .batch_execute(&closed)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    Catalog::load(&transaction, &LoadOptions::default())
        .await
        .unwrap()
}

fn said(report: &Report, from: Severity) -> Vec<String> {
    let findings = report.findings.iter().filter(|finding| finding.severity >= from);
    findings
        .map(|finding| format!("{} {}: {}", finding.check, finding.object, finding.message))
        .collect()
}

/// The model of a right database, with nothing to complain about from warning upwards, in which reading these tables has
/// these verdicts from the policies alone.
async fn right(sql: &str, config: Config, reading: &[(&str, DoorVerdict)]) -> (Catalog, Model) {
    let catalog = catalog_of(sql).await;
    let report = Audit::new().config(config.clone()).run_offline(&catalog).unwrap();
    let said = said(&report, Severity::Warning);
    assert!(said.is_empty(), "{said:#?}");
    for (table, verdict) in reading {
        let name = format!("public.{table}");
        let mut doors = report.doors.iter();
        let door = doors.find(|door| {
            door.command == Command::Select && door.object.to_string() == name && door.kind == DoorKind::Table
        });
        let door = door.unwrap_or_else(|| panic!("no door to {table}"));
        assert_eq!(door.verdict, *verdict, "{table}: {}", door.reason);
    }
    let model = Model::build(&catalog, &config).unwrap();
    (catalog, model)
}

fn scope(catalog: &Catalog, model: &Model, table: &str) -> Option<Scope> {
    let relation = catalog.relation_named("public", table).unwrap();
    model.table(relation.oid).map(|table| table.scope)
}

#[tokio::test]
async fn a_setting_of_another_name_is_found_by_what_the_policies_compare() {
    let (_, model) = right(
        "create role idiom_setting login;
        create table invoice (tenant_id uuid not null, total int);
        alter table invoice enable row level security, force row level security;
        create policy tenant on invoice using (tenant_id = nullif(current_setting('my.org', true), '')::uuid);
        grant select, insert on invoice to idiom_setting;",
        Config::default(),
        &[("invoice", Proven)],
    )
    .await;
    assert_eq!(model.tenant_setting, "my.org");
    assert_eq!(
        model.setting_ground,
        "the policies of 1 table compare their tenant column with the setting my.org"
    );
    assert!(model.binding.is_none());
}

#[tokio::test]
async fn a_column_of_another_name_is_found_by_what_the_policies_compare() {
    let (catalog, model) = right(
        "create role idiom_column login;
        create table org (id int primary key, name text);
        create table invoice (\"orgId\" int not null references org, total int);
        alter table org enable row level security, force row level security;
        alter table invoice enable row level security, force row level security;
        create policy own on org using (id = nullif(current_setting('my.org', true), '')::int);
        create policy own on invoice using (\"orgId\" = nullif(current_setting('my.org', true), '')::int);
        grant select, insert on org, invoice to idiom_column;",
        Config::default(),
        &[("org", Proven), ("invoice", Proven)],
    )
    .await;
    assert_eq!(scope(&catalog, &model, "org"), Some(Scope::Root { key: 1 }));
    assert_eq!(
        scope(&catalog, &model, "invoice"),
        Some(Scope::Column { column: 1 })
    );
}

#[tokio::test]
async fn claims_in_json_are_bound_by_a_template() {
    let (_, model) = right(
        "create role idiom_claims login;
        create table invoice (tenant_id text not null, total int);
        alter table invoice enable row level security, force row level security;
        create policy tenant on invoice using (tenant_id = (select
            nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'tenant_id'));
        grant select, insert on invoice to idiom_claims;",
        Config::default(),
        &[("invoice", Proven)],
    )
    .await;
    assert_eq!(model.tenant_setting, "request.jwt.claims");
    let binding = model.binding.unwrap();
    let template = &binding.settings["request.jwt.claims"];
    assert_eq!(template, r#"{"app_metadata":{"tenant_id":"{tenant}"}}"#);
}

#[tokio::test]
async fn a_user_with_memberships_is_no_tenant() {
    let (catalog, model) = right(
        "create role idiom_member login;
        create table membership (user_id text not null, tenant_id text not null);
        create table invoice (tenant_id text not null, total int);
        alter table membership enable row level security, force row level security;
        alter table invoice enable row level security, force row level security;
        create policy own on membership for select using (user_id = nullif(current_setting('app.user_id', true), ''));
        create policy tenant on invoice using (tenant_id in (
            select m.tenant_id from membership m where m.user_id = nullif(current_setting('app.user_id', true), '')));
        grant select, insert on invoice to idiom_member;
        grant select on membership to idiom_member;",
        Config::default(),
        &[("invoice", Proven), ("membership", Proven)],
    )
    .await;
    assert_eq!(model.tenant_setting, "app.user_id");
    assert_eq!(
        model.setting_ground,
        "the policies look the setting app.user_id up in public.membership.user_id"
    );
    let binding = model.binding.as_ref().unwrap();
    assert_eq!(binding.settings["app.user_id"], "{user}");
    assert!(matches!(
        scope(&catalog, &model, "invoice"),
        Some(Scope::Column { column: 1 })
    ));
}

#[tokio::test]
async fn helpers_that_look_sessions_up_in_a_private_table_are_followed() {
    let (_, model) = right(
        "create role idiom_session login;
        create schema private;
        create table private.session (id text primary key, tenant_id text not null);
        create table invoice (tenant_id text not null, total int);
        alter table private.session enable row level security, force row level security;
        alter table invoice enable row level security, force row level security;
        create function tenant_now() returns text language sql stable security definer
            set search_path = pg_catalog, pg_temp
            as 'select tenant_id from private.session where id = current_setting(''app.session'', true)';
        revoke execute on function tenant_now() from public;
        grant execute on function tenant_now() to idiom_session;
        create policy tenant on invoice using (tenant_id = (select tenant_now()));
        grant select, insert on invoice to idiom_session;",
        Config::default(),
        &[("invoice", Undecided)],
    )
    .await;
    assert_eq!(model.roles.len(), 1);
}

#[tokio::test]
async fn a_role_per_tenant_is_bound_by_its_name() {
    let (_, model) = right(
        "create role idiom_role login;
        create table invoice (tenant_id text not null, total int);
        alter table invoice enable row level security, force row level security;
        create policy tenant on invoice using (tenant_id = current_user);
        grant select, insert on invoice to idiom_role;",
        Config::default(),
        &[("invoice", Proven)],
    )
    .await;
    assert_eq!(
        model.binding.unwrap().role_per_tenant.as_deref(),
        Some("{tenant}")
    );
}

#[tokio::test]
async fn roots_children_and_a_restrictive_border_are_right() {
    let (catalog, model) = right(
        "create role idiom_tree login;
        create role idiom_support;
        create table tenants (id text primary key, name text);
        create table post (tenant_id text not null references tenants, id int, primary key (tenant_id, id));
        create table comment (tenant_id text not null, post int not null, body text,
            foreign key (tenant_id, post) references post);
        create table line (post_tenant text not null, post int not null, body text,
            foreign key (post_tenant, post) references post);
        alter table tenants enable row level security, force row level security;
        alter table post enable row level security, force row level security;
        alter table comment enable row level security, force row level security;
        alter table line enable row level security, force row level security;
        create policy own on tenants using (id = nullif(current_setting('app.current_tenant', true), ''));
        create policy all_rows on post using (true);
        create policy border on post as restrictive
            using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
        create policy own on comment using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
        create policy support on comment for select to idiom_support using (true);
        create policy by_post on line using (exists (
            select from post p where p.tenant_id = post_tenant and p.id = line.post));
        grant select on tenants to idiom_tree;
        grant select, insert, update, delete on post, comment, line to idiom_tree;
        grant select on comment to idiom_support;",
        Config::default(),
        &[("tenants", Proven), ("post", Proven), ("comment", Proven), ("line", Proven)],
    )
    .await;
    assert_eq!(scope(&catalog, &model, "tenants"), Some(Scope::Root { key: 1 }));
    assert!(matches!(
        scope(&catalog, &model, "line"),
        Some(Scope::Child { .. })
    ));
}

#[tokio::test]
async fn a_declared_binding_makes_a_second_setting_one_of_ours() {
    let sql = "create role idiom_two login;
        create table invoice (tenant_id text not null, total int);
        alter table invoice enable row level security, force row level security;
        create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
        create policy operator on invoice for select using (current_setting('app.operator', true) = 'yes');
        grant select on invoice to idiom_two;";
    let catalog = catalog_of(sql).await;
    let report = Audit::new().run_offline(&catalog).unwrap();
    assert_eq!(
        said(&report, Severity::Warning).len(),
        1,
        "a switch that anybody may set"
    );
    let config = Config::parse(
        "[binding]\nsettings = { \"app.operator\" = \"no\", \"app.current_tenant\" = \"{tenant}\" }",
        "rls.toml",
    );
    right(
        &sql.replace("idiom_two", "idiom_two_bound"),
        config.unwrap(),
        &[("invoice", Proven)],
    )
    .await;
}

#[tokio::test]
async fn a_user_is_looked_up_by_a_definer_helper() {
    right(
        "create role idiom_helper login;
        create table membership (user_id text not null, tenant_id text not null);
        create table invoice (tenant_id text not null, total int);
        alter table membership enable row level security, force row level security;
        alter table invoice enable row level security, force row level security;
        create function is_member(tenant text) returns boolean language sql stable security definer
            set search_path = pg_catalog, pg_temp as $$
            select exists (select from public.membership m where m.tenant_id = tenant
                and m.user_id = nullif(current_setting('app.user_id', true), '')) $$;
        revoke execute on function is_member(text) from public;
        grant execute on function is_member(text) to idiom_helper;
        create policy tenant on invoice using (is_member(tenant_id));
        grant select, insert on invoice to idiom_helper;",
        Config::default(),
        &[("invoice", Undecided)],
    )
    .await;
}

#[tokio::test]
async fn a_signed_value_is_left_to_attacks() {
    right(
        "create role idiom_signed login;
        create table invoice (tenant_id text not null, total int);
        alter table invoice enable row level security, force row level security;
        create function signed_tenant() returns text language plpgsql stable security definer
            set search_path = pg_catalog, pg_temp as $$
            declare
                value text := current_setting('app.current_tenant', true);
            begin
                if md5(split_part(value, '.', 1) || 'secret') = split_part(value, '.', 2) then
                    return split_part(value, '.', 1);
                end if;
                return null;
            end $$;
        revoke execute on function signed_tenant() from public;
        grant execute on function signed_tenant() to idiom_signed;
        create policy tenant on invoice using (tenant_id = (select signed_tenant()));
        grant select, insert on invoice to idiom_signed;",
        Config::default(),
        &[("invoice", Undecided)],
    )
    .await;
}

#[tokio::test]
async fn a_row_between_two_tenants_is_no_error() {
    right(
        "create role idiom_both login;
        create table transfer (tenant_id text not null, to_tenant_id text not null, total int);
        alter table transfer enable row level security, force row level security;
        create policy seen on transfer for select using (
            nullif(current_setting('app.current_tenant', true), '') in (tenant_id, to_tenant_id));
        create policy made on transfer for insert with check (
            tenant_id = nullif(current_setting('app.current_tenant', true), ''));
        grant select, insert on transfer to idiom_both;",
        Config::default(),
        &[("transfer", Undecided)],
    )
    .await;
}

#[tokio::test]
async fn a_saved_catalog_gives_the_same_report() {
    let catalog = catalog_of(
        "create role idiom_saved login;
        create table tenants (id text primary key);
        create table invoice (tenant_id text not null references tenants, code text unique, total int);
        create table note (body text);
        alter table invoice enable row level security;
        create policy tenant on invoice using (
            tenant_id = coalesce(nullif(current_setting('app.current_tenant', true), ''), tenant_id));
        create view totals as select tenant_id, sum(total) from invoice group by 1;
        create function f(t text) returns int language sql security definer as 'select 1 from invoice';
        grant select, insert, truncate on invoice, note to idiom_saved;
        grant select on totals, tenants to idiom_saved;",
    )
    .await;
    let saved = Catalog::from_json(&catalog.to_json().unwrap(), "saved.json").unwrap();
    let audit = Audit::new();
    let (live, offline) = (
        audit.run_offline(&catalog).unwrap(),
        audit.run_offline(&saved).unwrap(),
    );
    assert!(live.findings.len() > 8, "{:#?}", said(&live, Severity::Info));
    assert_eq!(live.findings, offline.findings);
    assert_eq!(live.doors, offline.doors);
    let explained = |catalog: &Catalog| {
        let model = Model::build(catalog, &Config::default()).unwrap();
        model.explain(catalog).to_string()
    };
    assert_eq!(explained(&catalog), explained(&saved));
}

#[tokio::test]
async fn every_decision_of_the_model_has_its_ground() {
    let catalog = catalog_of(
        "create role idiom_explained login;
        create table invoice (tenant_id text not null, total int);
        create table country (code text);
        create table plan (name text);
        alter table invoice enable row level security;
        create policy tenant on invoice using (tenant_id = current_setting('app.org', true));
        grant select on invoice, country, plan to idiom_explained;",
    )
    .await;
    let config = Config::parse(
        "[[exempt]]\ntable = \"public.plan\"\nreason = \"the same for all\"",
        "rls.toml",
    )
    .unwrap();
    let text = Model::build(&catalog, &config)
        .unwrap()
        .explain(&catalog)
        .to_string();
    for line in [
        "tenant setting  app.org: the policies of 1 table compare their tenant column with the setting app.org",
        "  idiom_explained: detected: logs in, has privileges on tenant-scoped tables, is no administrator",
        "  public.invoice: has the tenant column tenant_id",
        "  public.country",
        "  public.plan: the same for all",
        "  idiom_explained: SELECT public.invoice (granted SELECT)",
    ] {
        assert!(
            text.lines().any(|known| known == line),
            "{line:?} is not in\n{text}"
        );
    }
}
