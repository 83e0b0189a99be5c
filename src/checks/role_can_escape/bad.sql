-- rls.toml: roles = ["escape_app", "escape_admin"]
create role escape_owner;
create role escape_boss bypassrls;
create role escape_step;
create role escape_app login noinherit;
create role escape_admin login noinherit;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
alter table invoice owner to escape_owner;
grant select on invoice to escape_app, escape_admin;
-- Over a step between.
grant escape_boss to escape_step;
-- expect: role-can-escape role:escape_app
grant escape_step to escape_app;
-- expect: role-can-escape role:escape_app
grant escape_owner to escape_app;
-- expect: role-can-escape role:escape_admin
grant escape_owner to escape_admin with admin option;
