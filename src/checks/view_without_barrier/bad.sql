create role barrier_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: view-without-barrier public.my_invoice
-- expect: view-runs-as-owner public.my_invoice
create view my_invoice as select * from invoice where tenant_id = nullif(current_setting('app.current_tenant', true), '');
grant select on my_invoice to barrier_app;
