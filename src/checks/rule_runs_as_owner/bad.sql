create role rule_app login;
create role rule_owner;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to rule_app;
create view request as select 1 as total;
grant insert on request to rule_app;
-- expect: rule-runs-as-owner public.request.pay
create rule pay as on insert to request do instead update invoice set total = new.total;
