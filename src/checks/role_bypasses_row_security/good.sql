-- rls.toml: roles = ["bypasses_super", "bypasses_attribute"]
create role bypasses_super login nosuperuser;
create role bypasses_attribute login nobypassrls;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to bypasses_attribute;
