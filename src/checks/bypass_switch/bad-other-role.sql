-- The policy is for another role: no leak today.
create role switch_this login;
create role switch_other;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice to switch_this using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: bypass-switch public.invoice
create policy admin on invoice to switch_other using (current_setting('app.bypass', true) = 'on');
grant select on invoice to switch_this, switch_other;
