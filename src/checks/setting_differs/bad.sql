create role differs_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create table payment (tenant_id text not null, total int);
alter table payment enable row level security, force row level security;
-- expect: setting-differs public.payment
create policy tenant on payment using (tenant_id = nullif(current_setting('app.curent_tenant', true), ''));
grant select on invoice, payment to differs_app;
