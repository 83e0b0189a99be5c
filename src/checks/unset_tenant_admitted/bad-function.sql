-- The setting is read by a function, whose body says the same.
create role unset_function login;
create function tenant_now() returns text language sql stable as $$ select nullif(current_setting('app.current_tenant', true), '') $$;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: unset-tenant-admitted public.invoice
-- expect: empty-tenant-admitted public.invoice
create policy tenant on invoice using (case when tenant_now() is null then true else tenant_id = tenant_now() end);
grant select on invoice to unset_function;
