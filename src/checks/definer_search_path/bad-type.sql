-- PostgreSQL looks types up among temporary ones first, whatever the path, unless it lists pg_temp.
create role pathtype_app login;
create table secret (tenant_id uuid not null, total int);
alter table secret enable row level security, force row level security;
create policy tenant on secret using (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
grant select on secret to pathtype_app;
-- expect: definer-search-path public.my_total()
create function my_total() returns bigint language sql security definer set search_path = '' as
    $$ select sum(total) from public.secret
        where tenant_id = nullif(pg_catalog.current_setting('app.current_tenant', true), '')::uuid $$;
revoke execute on function my_total() from public;
grant execute on function my_total() to pathtype_app;
