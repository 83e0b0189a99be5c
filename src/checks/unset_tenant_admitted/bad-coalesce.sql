-- The row stands in for the tenant that is not bound.
create role unset_coalesce login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: unset-tenant-admitted public.invoice
-- expect: empty-tenant-admitted public.invoice
create policy tenant on invoice using (tenant_id = coalesce(nullif(current_setting('app.current_tenant', true), ''), tenant_id));
grant select on invoice to unset_coalesce;
