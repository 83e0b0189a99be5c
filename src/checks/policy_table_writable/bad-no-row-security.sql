-- Nothing guards the table that the policy believes.
create role forges_open login;
create table support (agent text not null);
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: policy-table-writable public.invoice
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), '') or exists (
    select from support where agent = current_setting('app.agent', true)));
grant select on invoice to forges_open;
-- expect: table-uncategorised public.support
grant select, insert on support to forges_open;
