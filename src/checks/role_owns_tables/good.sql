-- rls.toml: roles = ["owns_app"]
create role owns_app login;
create role owns_owner;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
alter table invoice owner to owns_owner;
grant select on invoice to owns_app;
