-- One policy for all commands, all of which are open: one finding.
create role admitsall_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: policy-admits-foreign-rows public.invoice
create policy tenant on invoice
    using (tenant_id >= nullif(current_setting('app.current_tenant', true), ''));
grant select, insert, update, delete on invoice to admitsall_app;
