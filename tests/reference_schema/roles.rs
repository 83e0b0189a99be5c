//! The roles: what app_user is, what it cannot become, and that nobody acts as app_lookup.

use crate::attempt::{Binding, Outcome, attempt};
use crate::world::World;

#[tokio::test]
async fn the_roles_are_what_they_should_be() {
    let world = World::new("roles").await;
    let sql = "
        select rolname::text, rolcanlogin,
               rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication,
               (select count(*) from pg_auth_members m where m.member = r.oid),
               (select count(*) from pg_shdepend d where d.refclassid = 'pg_authid'::regclass
                   and d.refobjid = r.oid and d.deptype = 'o')
          from pg_roles r where rolname like 'app\\_%' order by 1";
    let rows = world.admin.query(sql, &[]).await.unwrap();
    let found: Vec<(String, bool, bool, i64)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    let role = |name: &str, login| (name.to_owned(), login, false, 0);
    let expected = [
        role("app_lookup", false),
        role("app_maintenance", false),
        role("app_owner", false),
        role("app_user", true),
    ];
    assert_eq!(found, expected, "name, may log in, has any power, memberships");
    let owned: i64 = rows
        .iter()
        .find(|row| row.get::<_, &str>(0) == "app_user")
        .unwrap()
        .get(4);
    assert_eq!(owned, 0, "app_user owns nothing");
    let sql = "select count(*) from pg_auth_members m where m.roleid = 'app_lookup'::regrole";
    assert_eq!(world.count(sql).await, 0, "nobody is a member of app_lookup");
}

/// What a session of app_user might try to get out.
const ESCAPES: &[&str] = &[
    "set local role app_owner",
    "set local role app_lookup",
    "set local role app_maintenance",
    "set local role postgres",
    "set local session authorization postgres",
    "grant app_owner to app_user",
    "alter role app_user bypassrls",
    "alter role app_user superuser",
    "alter table app.users disable row level security",
    "alter table app.users no force row level security",
    "alter table app.users owner to app_user",
    "alter policy tenant_isolation on app.users using (true)",
    "drop policy tenant_isolation on app.users",
    "create policy mine on app.users using (true)",
    "create table app.mine ()",
    "create function app.mine() returns int language sql return 1",
    "create or replace function app.current_tenant() returns text language sql return 'x'",
    "alter function app.find_logins(text) reset search_path",
    "alter schema app rename to mine",
    "alter default privileges for role app_owner grant all on tables to app_user",
    "copy app.users to '/tmp/stolen'",
    "copy (select 1) to program 'id'",
    "select pg_read_file('/etc/passwd')",
];

#[tokio::test]
async fn app_user_cannot_get_out() {
    let world = World::new("escapes").await;
    for escape in ESCAPES {
        let outcome = attempt(&world.app, Binding::To(world.a.id()), &[(*escape).to_owned()]).await;
        assert_eq!(outcome, Outcome::Permission, "{escape}");
    }
    // Switching row security off for oneself makes reads fail; it does not open them.
    let off = [
        "set local row_security = off".to_owned(),
        "select from app.users".to_owned(),
    ];
    let outcome = attempt(&world.app, Binding::To(world.a.id()), &off).await;
    assert_eq!(outcome, Outcome::Permission);
}

/// The twin: what one membership or attribute would do. Roles belong to the cluster, so this is in a transaction of
/// the administrator that is rolled back, as app_user by SET SESSION AUTHORIZATION.
#[tokio::test]
async fn one_membership_or_attribute_would_open_everything() {
    let world = World::new("escapes_twin").await;
    let become_app = "set local session authorization app_user";
    let read = "select from app.users";
    let twins: &[&[&str]] = &[
        &["alter role app_user bypassrls", become_app, read],
        &["alter role app_user superuser", become_app, read],
        &[
            "grant app_owner to app_user",
            become_app,
            "set local role app_owner",
            "alter table app.users no force row level security",
            read,
        ],
        &[
            "grant app_lookup to app_user",
            become_app,
            "set local role app_lookup",
            "select id from app.users",
        ],
    ];
    for twin in twins {
        let statements: Vec<_> = twin.iter().map(|sql| (*sql).to_owned()).collect();
        let outcome = attempt(&world.admin, Binding::To(world.a.id()), &statements).await;
        assert_eq!(outcome, Outcome::Rows(2), "{twin:?}");
    }
    let same = vec![become_app.to_owned(), read.to_owned()];
    let outcome = attempt(&world.admin, Binding::To(world.a.id()), &same).await;
    assert_eq!(outcome, Outcome::Rows(1), "without them: its own row");
}
