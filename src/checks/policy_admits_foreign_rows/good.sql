create role admits_app login;
create table invoice (tenant_id text not null, total int);
create index on invoice (tenant_id);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice for select
    using (tenant_id = nullif(current_setting('app.current_tenant', true), '') and total > 0);
grant select on invoice to admits_app;
