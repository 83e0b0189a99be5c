create role unique_app login;
-- expect: unique-unscoped public.invoice
create table invoice (tenant_id text not null, email text unique);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on invoice to unique_app;
