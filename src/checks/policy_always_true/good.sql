create role true_app login;
create role true_support;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create policy support on invoice for select to true_support using (true);
grant select, insert on invoice to true_app, true_support;
