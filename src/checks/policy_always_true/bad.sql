create role true_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: policy-always-true public.invoice
create policy support on invoice for select using (true);
grant select, insert on invoice to true_app;
