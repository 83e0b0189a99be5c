create role ignores_app login;
create role ignores_owner;
create table secret (tenant_id text not null, total int);
alter table secret enable row level security, force row level security;
create policy tenant on secret using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on secret to ignores_app, ignores_owner;
create function total_of(tenant text) returns bigint language sql security definer set search_path = pg_catalog, pg_temp as
    $$ select sum(total) from public.secret where tenant_id = tenant $$;
-- Held by the policy.
alter function total_of(text) owner to ignores_owner;
revoke execute on function total_of(text) from public;
grant execute on function total_of(text) to ignores_app;
