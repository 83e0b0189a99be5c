create role exact_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: comparison-not-exact public.invoice
create policy tenant on invoice using (lower(tenant_id) = lower(nullif(current_setting('app.current_tenant', true), '')));
grant select on invoice to exact_app;
