create role forges_app login;
create table membership (member text not null, tenant_id text not null);
-- expect: policy-table-writable public.invoice
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id in (
    select m.tenant_id from membership as m where m.member = nullif(current_setting('app.current_tenant', true), '')));
grant select on invoice, membership to forges_app;
alter table membership enable row level security, force row level security;
create policy own on membership using (member = nullif(current_setting('app.current_tenant', true), ''));
grant insert on membership to forges_app;
