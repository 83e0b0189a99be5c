create role unique_app login;
create table invoice (tenant_id text not null, email text, unique (tenant_id, email));
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on invoice to unique_app;
