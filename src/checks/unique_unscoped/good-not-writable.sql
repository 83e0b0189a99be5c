-- The role cannot choose the value.
create role unique_reads login;
create table invoice (tenant_id text not null, number int generated always as identity unique, code text unique, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert (tenant_id, total), update (total) on invoice to unique_reads;
