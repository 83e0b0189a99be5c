create role view_owner;
create role view_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice owner to view_owner;
alter table invoice enable row level security;
alter table invoice force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to view_app;
-- expect: view-runs-as-owner public.open_invoice
-- expect: view-runs-as-owner public.invoice
create view open_invoice as select * from invoice where total > 0;
grant select on open_invoice to view_app;
