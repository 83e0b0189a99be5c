create role barrier_app login;
create role barrier_owner;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create view my_invoice with (security_barrier = true) as select * from invoice where tenant_id = nullif(current_setting('app.current_tenant', true), '');
-- Works on every version; security_invoker needs PostgreSQL 15.
alter view my_invoice owner to barrier_owner;
grant select on invoice to barrier_owner;
grant select on my_invoice to barrier_app;
