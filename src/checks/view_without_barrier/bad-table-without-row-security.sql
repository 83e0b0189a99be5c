-- A table without row security that the role reaches through the view alone.
create role barrier_app login;
create table invoice (tenant_id text not null, total int);
-- expect: view-without-barrier public.my_invoice
create view my_invoice as select * from invoice where tenant_id = nullif(current_setting('app.current_tenant', true), '');
grant select on my_invoice to barrier_app;
