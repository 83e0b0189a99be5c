create role switch_app login;
create role switch_admin;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create policy admin on invoice to switch_admin using (true);
grant select, update on invoice to switch_app, switch_admin;
