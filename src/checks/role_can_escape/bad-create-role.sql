-- Before PostgreSQL 16, CREATEROLE may grant any role but superusers: itself pg_read_server_files, say.
create role escape_creates login createrole;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect before 16: role-can-escape role:escape_creates
grant select on invoice to escape_creates;
