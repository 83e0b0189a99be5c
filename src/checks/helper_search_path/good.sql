create role helperpath_app login;
create table membership (member text not null, tenant_id text not null);
alter table membership enable row level security, force row level security;
create policy own on membership using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
grant select on invoice, membership to helperpath_app;
create function my_tenants() returns setof text language sql stable set search_path = pg_catalog, pg_temp as
    'select tenant_id from public.membership where member = current_setting(''app.member'', true)';
create policy tenant on invoice using (tenant_id in (select my_tenants()));
