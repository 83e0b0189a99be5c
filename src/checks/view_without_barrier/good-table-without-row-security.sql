-- A table without row security that the role reaches through the view alone.
create role barrier_app login;
create table invoice (tenant_id text not null, total int);
create view my_invoice with (security_barrier) as select * from invoice where tenant_id = nullif(current_setting('app.current_tenant', true), '');
grant select on my_invoice to barrier_app;
