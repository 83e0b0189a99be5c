create role matview_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create materialized view totals as select tenant_id, sum(total) from invoice group by tenant_id;
grant select on invoice to matview_app;
