create role unset_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: unset-tenant-admitted public.invoice
create policy tenant on invoice using (
    current_setting('app.current_tenant', true) is null or tenant_id = current_setting('app.current_tenant', true));
grant select, update on invoice to unset_app;
