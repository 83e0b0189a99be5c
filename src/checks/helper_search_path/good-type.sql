-- Listed last, pg_temp gives no type its meaning; and what the grammar itself names cannot be taken.
create role helpertype_app login;
create table invoice (tenant_id uuid not null, total int);
alter table invoice enable row level security, force row level security;
create function tenant_now() returns uuid language sql stable set search_path = pg_catalog, pg_temp as
    $$ select nullif(current_setting('app.current_tenant', true), '')::uuid $$;
create function bound() returns text language sql stable as
    $$ select nullif(current_setting('app.current_tenant', true), '')::varchar $$;
create policy tenant on invoice using (tenant_id = (select tenant_now()) and bound() is not null);
grant select on invoice to helpertype_app;
