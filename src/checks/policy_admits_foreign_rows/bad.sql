create role admits_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: policy-admits-foreign-rows public.invoice
create policy tenant on invoice for select
    using (tenant_id >= nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to admits_app;
