-- A pattern, and a cast that reads text as a number.
create role exact_pattern login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: comparison-not-exact public.invoice
create policy tenant on invoice using (tenant_id like nullif(current_setting('app.current_tenant', true), ''));
create table payment (tenant_id text not null, total int);
alter table payment enable row level security, force row level security;
-- expect: comparison-not-exact public.payment
create policy tenant on payment using (tenant_id::int = nullif(current_setting('app.current_tenant', true), '')::int);
grant select on invoice, payment to exact_pattern;
