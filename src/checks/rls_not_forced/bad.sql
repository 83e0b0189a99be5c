create role forced_owner;
create role forced_app login;
create table invoice (tenant_id text not null, total int);
-- expect: rls-not-forced public.invoice
alter table invoice enable row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
alter table invoice owner to forced_owner;
grant select on invoice to forced_app;
