-- PostgreSQL looks types up among temporary ones first, whatever the path, unless it lists pg_temp.
create role helpertype_app login;
create table invoice (tenant_id uuid not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: helper-search-path public.tenant_now()
create function tenant_now() returns uuid language sql stable set search_path = '' as
    $$ select nullif(pg_catalog.current_setting('app.current_tenant', true), '')::uuid $$;
create policy tenant on invoice using (tenant_id = tenant_now());
grant select on invoice to helpertype_app;
