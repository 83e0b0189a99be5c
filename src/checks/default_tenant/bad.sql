create role default_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: default-tenant public.invoice
create policy tenant on invoice using (tenant_id = coalesce(nullif(current_setting('app.current_tenant', true), ''), 'ten_1'));
grant select on invoice to default_app;
