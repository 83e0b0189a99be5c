-- Shared by a flag.
create role shared_flag login;
create table template (tenant_id text not null, is_public boolean not null default false, body text);
alter table template enable row level security, force row level security;
-- expect: shared-rows public.template
create policy tenant on template using (tenant_id = nullif(current_setting('app.current_tenant', true), '') or is_public);
grant select, delete on template to shared_flag;
