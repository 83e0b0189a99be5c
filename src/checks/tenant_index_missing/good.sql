create role index_app login;
create table invoice (tenant_id text not null, id int, primary key (tenant_id, id));
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to index_app;
