-- rls.toml: [[exempt]]
-- rls.toml: table = "public.plan"
-- rls.toml: reason = "the same for all"
create role unused_app login;
create table plan (tenant_id text, name text);
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice, plan to unused_app;
