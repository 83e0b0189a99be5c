-- Only the view's own condition keeps tenants apart: a warning.
create role view_filtered login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: view-runs-as-owner public.my_invoice
create view my_invoice with (security_barrier) as select * from invoice where tenant_id = current_setting('app.current_tenant', true);
grant select on my_invoice to view_filtered;
