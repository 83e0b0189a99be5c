//! Sessions that are bound to a user or a session id, of which a table says whose tenant it is: the table is found, rows
//! are made that bind both tenants, and every door is decided. Each schema has twins with a hole, which is found.

use rls_tool::audit::{Audit, DoorVerdict, Report, Verdict};
use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::model::{Config, Model};

use crate::support::Database;

const MEMBERSHIP: &str = include_str!("identities/membership.sql");
const SESSION: &str = include_str!("identities/session.sql");
const USER: &str = include_str!("identities/user.sql");

/// What the model takes for who is asking, and the report of the whole audit, attacks included.
async fn audited(sql: &str, change: &str, config: Config) -> (Option<String>, Report) {
    let database = Database::create("identity").await;
    let mut admin = database.admin().await;
    let mut transaction = admin.transaction().await.unwrap();
    let closed = format!("revoke create on schema public from public; {sql}; {change}");
    transaction
        .batch_execute(&closed)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let catalog = Catalog::load(&transaction, &LoadOptions::default())
        .await
        .unwrap();
    let model = Model::build(&catalog, &config).unwrap_or_else(|error| panic!("{}", error.chain()));
    let asking = model.identity.map(|identity| {
        let relation = catalog.relations.get(identity.relation).unwrap();
        format!(
            "{}.{}",
            relation.plain_name(),
            relation.column(identity.column).unwrap().name
        )
    });
    let report = Audit::new().config(config).run_within(&mut transaction).await;
    (asking, report.unwrap_or_else(|error| panic!("{}", error.chain())))
}

fn undecided(report: &Report) -> Vec<String> {
    let doors = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided);
    doors
        .map(|door| format!("{} {}: {}", door.command.as_sql(), door.object, door.reason))
        .collect()
}

/// Whether the door is open.
fn leaks(report: &Report, command: &str, object: &str) -> bool {
    report.doors.iter().any(|door| {
        door.verdict == DoorVerdict::Leak
            && door.command.as_sql() == command
            && door.object.to_string() == object
    })
}

#[tokio::test]
async fn members_of_a_tenant_are_kept_apart() {
    let (asking, report) = audited(MEMBERSHIP, "", Config::default()).await;
    assert_eq!(asking.as_deref(), Some("basejump.account_user.user_id"));
    assert_eq!(report.verdict, Verdict::Isolated, "{:#?}", report.findings);
    assert_eq!(undecided(&report), Vec::<String>::new());
    assert_eq!(report.tenant_setting, "request.jwt.claim.sub");
    for table in ["public.accounts", "public.projects", "public.tasks"] {
        let held = report
            .doors
            .iter()
            .filter(|door| door.object.to_string() == table);
        assert_eq!(held.count(), 4, "{table}");
    }
}

#[tokio::test]
async fn a_membership_that_is_not_asked_for_leaks() {
    let change = "drop policy proj on projects; create policy proj on projects to idy_member
                  using (account_id in (select account_id from basejump.account_user));
                  create policy rest on basejump.account_user for select to idy_member using (true)";
    let (_, report) = audited(MEMBERSHIP, change, Config::default()).await;
    assert_eq!(report.verdict, Verdict::Leaking);
    assert!(leaks(&report, "SELECT", "public.projects"), "{:#?}", report.doors);
    // What is reached through it, too.
    assert!(leaks(&report, "SELECT", "public.tasks"), "{:#?}", report.doors);
}

#[tokio::test]
async fn a_helper_that_forgets_the_user_leaks() {
    let change = "create or replace function basejump.has_role_on_account(account_id uuid) returns boolean language sql
                  security definer stable set search_path = '' as $$
                  select exists (select 1 from basejump.account_user wu where wu.user_id = auth.uid()
                                 or wu.account_id = has_role_on_account.account_id) $$";
    let (_, report) = audited(MEMBERSHIP, change, Config::default()).await;
    assert!(leaks(&report, "SELECT", "public.accounts"), "{:#?}", report.doors);
}

#[tokio::test]
async fn sessions_looked_up_in_a_private_table_are_kept_apart() {
    let (asking, report) = audited(SESSION, "", Config::default()).await;
    assert_eq!(asking.as_deref(), Some("priv.sessions.token"));
    assert_eq!(report.verdict, Verdict::Isolated, "{:#?}", report.findings);
    // A tenant that is not there yet has no session: whether it could sign up is not known.
    let open = undecided(&report);
    assert!(
        open.len() == 1 && open[0].starts_with("INSERT public.orgs: "),
        "{open:#?}"
    );

    // The twin takes a session that it does not know for the first one that it does.
    let change = "create or replace function priv.current_org() returns uuid language plpgsql security definer stable
                  set search_path = pg_catalog, pg_temp as $$
                  declare found uuid;
                  begin
                    select m.org_id into found from priv.sessions s join public.members m on m.id = s.member_id
                     where s.token = nullif(current_setting('jwt.claims.session_id', true), '')::uuid;
                    if found is null then select org_id into found from public.members limit 1; end if;
                    return found;
                  end $$";
    let (_, report) = audited(SESSION, change, Config::default()).await;
    assert!(leaks(&report, "SELECT", "public.invoices"), "{:#?}", report.doors);
}

#[tokio::test]
async fn users_of_a_tenant_are_kept_apart() {
    let (asking, report) = audited(USER, "", Config::default()).await;
    assert_eq!(asking.as_deref(), Some("public.users.id"));
    assert_eq!(report.verdict, Verdict::Isolated, "{:#?}", report.findings);
    assert_eq!(undecided(&report), Vec::<String>::new());

    let (_, report) = audited(USER, "grant update on users to idy_web", Config::default()).await;
    assert_eq!(
        report.verdict,
        Verdict::Leaking,
        "whoever may move himself into another tenant is in it"
    );
}

/// Where nothing shows whose rows they are, a table is not passed over in silence.
#[tokio::test]
async fn tables_that_are_not_understood_are_undecided() {
    let sql = "create role idy_signed login;
        create table plain (tenant_id text not null);
        alter table plain enable row level security;
        create policy own on plain using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
        create table ledger (owner text not null, amount int);
        alter table ledger enable row level security;
        create function opened(text) returns text language plpgsql stable as 'begin return md5($1); end';
        create policy own on ledger using (owner = opened(current_setting('app.signed', true)));
        create table country (code text);
        alter table country enable row level security;
        create policy everybody on country for select using (true);
        grant select, insert on plain, ledger to idy_signed; grant select on country to idy_signed";
    let (asking, report) = audited(sql, "", Config::default()).await;
    assert_eq!(asking, None);
    let open = undecided(&report);
    assert_eq!(open.len(), 2, "{open:#?}");
    assert!(
        open.iter().all(|door| door.contains(" public.ledger: ")),
        "{open:#?}"
    );

    let exempt = "[[exempt]]\ntable = \"public.ledger\"\nreason = \"one company's own books\"";
    let (_, report) = audited(sql, "", Config::parse(exempt, "rls.toml").unwrap()).await;
    assert_eq!(undecided(&report), Vec::<String>::new());
}

/// A look-up beside the setting that the tables are compared with does not take its place, nor does one that no row
/// depends on.
#[tokio::test]
async fn administrators_that_are_looked_up_are_no_tenants() {
    let sql = "create role idy_admins login;
        create table admins (user_id text primary key, org_id text not null);
        create table invoice (org_id text not null, total int);
        create table line (org_id text not null, what text);
        alter table invoice enable row level security;
        alter table line enable row level security;
        create policy own on invoice using (org_id = nullif(current_setting('my.org', true), ''));
        create policy own on line using (org_id = nullif(current_setting('my.org', true), ''));
        create policy admin on invoice as restrictive for delete using (org_id in (
            select a.org_id from admins a where a.user_id = nullif(current_setting('my.user', true), '')));
        grant select, insert, update, delete on invoice, line to idy_admins; grant select on admins to idy_admins";
    let (asking, report) = audited(sql, "", Config::default()).await;
    assert_eq!((asking, report.tenant_setting.as_str()), (None, "my.org"));

    let sql = "create role idy_own login;
        create table profiles (id text primary key, is_admin boolean not null);
        create table todo (user_id text not null, what text);
        alter table todo enable row level security;
        create policy own on todo using (user_id = nullif(current_setting('my.user', true), ''));
        create policy admin on todo as restrictive for delete using (exists (
            select from profiles p where p.id = nullif(current_setting('my.user', true), '')));
        grant select, insert, update, delete on todo to idy_own; grant select on profiles to idy_own";
    let (asking, report) = audited(sql, "", Config::default()).await;
    assert_eq!((asking, report.tenant_setting.as_str()), (None, "my.user"));
}

/// What is not detected is declared; what is declared wrongly is refused.
#[tokio::test]
async fn who_is_asking_can_be_declared() {
    let change = "drop policy a on docs; drop policy a on tenants; drop policy a on users; drop policy a on notes;
        create function me() returns bigint language plpgsql stable as
        $$ declare claims jsonb := current_setting('app.token', true)::jsonb; begin return claims ->> 'user'; end $$;
        create policy a on docs using (tenant_id = (select tenant_id from users where id = me()));
        create policy a on users using (id = me());";
    let binding = "[binding]\nsettings = { \"app.token\" = '{\"user\":{user}}' }\n";
    let declared = Config::parse(&format!("{binding}user = \"public.users.id\""), "rls.toml").unwrap();
    let (asking, report) = audited(USER, change, declared).await;
    assert_eq!(asking.as_deref(), Some("public.users.id"));
    let held = |object: &str| {
        let mut doors = report
            .doors
            .iter()
            .filter(|door| door.object.to_string() == object);
        doors.all(|door| matches!(door.verdict, DoorVerdict::Held | DoorVerdict::Proven))
    };
    assert!(held("public.docs") && held("public.users"), "{:#?}", report.doors);

    let nowhere = Config::parse(&format!("{binding}user = \"public.users.nothing\""), "rls.toml").unwrap();
    let unknown = Config::parse(binding, "rls.toml").unwrap();
    let database = Database::create("identity").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    transaction
        .batch_execute(&format!("{USER}; {change}"))
        .await
        .unwrap();
    let catalog = Catalog::load(&transaction, &LoadOptions::default())
        .await
        .unwrap();
    let refusal = |config: &Config| Model::build(&catalog, config).unwrap_err();
    assert!(
        refusal(&nowhere)
            .to_string()
            .contains("\"public.users.nothing\" names no column")
    );
    assert!(
        refusal(&unknown)
            .to_string()
            .contains("no policy shows which column")
    );
    assert!(
        refusal(&unknown)
            .help()
            .unwrap()
            .contains("user = \"schema.table.column\"")
    );
}
