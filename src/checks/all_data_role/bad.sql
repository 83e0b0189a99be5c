create role alldata_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to alldata_app;
create role alldata_writer login;
grant select on invoice to alldata_writer;
-- expect: all-data-role role:alldata_app
grant pg_read_all_data to alldata_app;
-- expect: all-data-role role:alldata_writer
grant pg_write_all_data to alldata_writer;
