create role refers_app login;
create table project (tenant_id text not null, id int primary key, unique (tenant_id, id));
alter table project enable row level security, force row level security;
create policy tenant on project using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on project to refers_app;
create table task (tenant_id text not null, project int not null, total int,
    foreign key (tenant_id, project) references project (tenant_id, id));
alter table task enable row level security, force row level security;
create policy tenant on task using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on task to refers_app;
