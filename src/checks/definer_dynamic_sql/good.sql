create role dynamic_app login;
create table secret (tenant_id text not null, total int);
alter table secret enable row level security, force row level security;
create policy tenant on secret using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on secret to dynamic_app;
create function find(name text) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare n bigint;
begin
    execute 'select count(*) from public.secret where tenant_id = $1 and tenant_id = current_setting(''app.current_tenant'')'
        into n using name;
    return n;
end $$;
revoke execute on function find(text) from public;
grant execute on function find(text) to dynamic_app;
