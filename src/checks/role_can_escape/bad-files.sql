-- The server's files hold every tenant's rows.
create role escape_files login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to escape_files;
-- expect: role-can-escape role:escape_files
grant pg_read_server_files to escape_files;
