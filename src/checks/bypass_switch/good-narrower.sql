-- Another setting that only narrows.
create role switch_narrow login;
create table invoice (tenant_id text not null, kind text, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (
    tenant_id = nullif(current_setting('app.current_tenant', true), '') and (current_setting('app.role', true) = 'accountant' or kind = 'open'));
grant select, update on invoice to switch_narrow;
