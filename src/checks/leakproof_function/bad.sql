create role leakproof_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to leakproof_app;
-- expect: leakproof-function public.half(integer)
create function half(integer) returns integer language sql immutable leakproof as 'select $1 / 2';
