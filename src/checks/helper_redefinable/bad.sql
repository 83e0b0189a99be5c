create role redefines_app login;
create function tenant_now() returns text language sql stable as $$ select nullif(current_setting('app.current_tenant', true), '') $$;
-- expect: helper-redefinable public.tenant_now()
alter function tenant_now() owner to redefines_app;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = tenant_now());
grant select on invoice to redefines_app;
