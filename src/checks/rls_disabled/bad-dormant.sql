-- There are policies, but nobody enabled row security.
create role disabled_dormant login;
-- expect: rls-disabled public.invoice
create table invoice (tenant_id text not null, total int);
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to disabled_dormant;
