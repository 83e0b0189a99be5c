create role defaults_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to defaults_app;
-- expect: default-privileges-open role:defaults_app
alter default privileges in schema public grant select, insert on tables to defaults_app;
