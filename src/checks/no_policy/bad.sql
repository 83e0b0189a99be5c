create role policy_app login;
create table invoice (tenant_id text not null, total int);
-- expect: no-policy public.invoice
alter table invoice enable row level security, force row level security;
grant select on invoice to policy_app;
