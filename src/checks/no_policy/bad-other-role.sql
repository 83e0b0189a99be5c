-- The policy is for another role.
create role policy_other;
create role policy_this login;
create table invoice (tenant_id text not null, total int);
-- expect: no-policy public.invoice
alter table invoice enable row level security, force row level security;
create policy tenant on invoice to policy_other
    using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to policy_this;
