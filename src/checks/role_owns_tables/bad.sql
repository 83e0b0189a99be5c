create role owns_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- rls.toml: roles = ["owns_app"]
-- expect: role-owns-tables role:owns_app
alter table invoice owner to owns_app;
