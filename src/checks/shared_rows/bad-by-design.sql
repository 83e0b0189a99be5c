-- To read shared rows is by design: for information.
create role shared_read login;
create table template (tenant_id text, body text);
alter table template enable row level security, force row level security;
-- expect: shared-rows public.template
create policy shared on template for select using (tenant_id = nullif(current_setting('app.current_tenant', true), '') or tenant_id is null);
create policy own on template for insert with check (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on template to shared_read;
