create role public_app login;
create table secret (tenant_id text not null, total int);
alter table secret enable row level security, force row level security;
create policy tenant on secret using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on secret to public_app;
-- expect: definer-public public.my_total()
create function my_total() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as
    $$ select sum(total) from public.secret where tenant_id = nullif(current_setting('app.current_tenant', true), '') $$;
