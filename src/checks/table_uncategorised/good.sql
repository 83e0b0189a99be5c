-- rls.toml: [[exempt]]
-- rls.toml: table = "public.country"
-- rls.toml: reason = "the same for all"
create role uncategorised_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to uncategorised_app;
create table country (code text primary key);
grant select, insert on country to uncategorised_app;
