create role path_app login;
create table secret (tenant_id text not null, total int);
alter table secret enable row level security, force row level security;
create policy tenant on secret using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on secret to path_app;
-- expect: definer-search-path public.my_total()
create function my_total() returns bigint language sql security definer as
    $$ select sum(total) from secret where tenant_id = nullif(current_setting('app.current_tenant', true), '') $$;
revoke execute on function my_total() from public;
grant execute on function my_total() to path_app;
