create role switch_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: bypass-switch public.invoice
create policy tenant on invoice using (
    current_setting('app.bypass', true) = 'on' or tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, update on invoice to switch_app;
