create role foreign_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to foreign_app;
create foreign data wrapper far_wrapper;
create server far_server foreign data wrapper far_wrapper;
create foreign table archive (tenant_id text, total int) server far_server;
-- expect: foreign-table-exposed public.archive
grant select on archive to foreign_app;
