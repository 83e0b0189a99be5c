create role disabled_app login;
create table invoice (tenant_id text not null, total int);
grant select, insert on invoice to disabled_app;
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
