create role shared_app login;
create table template (tenant_id text, body text);
alter table template enable row level security, force row level security;
-- expect: shared-rows public.template
create policy tenant on template using (tenant_id = nullif(current_setting('app.current_tenant', true), '') or tenant_id is null);
grant select, insert, update on template to shared_app;
