create role nullable_app login;
-- expect: tenant-column-nullable public.invoice
create table invoice (tenant_id text, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to nullable_app;
