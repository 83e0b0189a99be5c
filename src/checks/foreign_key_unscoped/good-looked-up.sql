-- The policy lets only rows in whose project the session sees.
create role refers_looks login;
create table project (tenant_id text not null, id int primary key, unique (tenant_id, id));
alter table project enable row level security, force row level security;
create policy tenant on project using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on project to refers_looks;
create table task (tenant_id text not null, project int not null references project, total int);
alter table task enable row level security, force row level security;
create policy tenant on task using (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    with check (tenant_id = nullif(current_setting('app.current_tenant', true), '') and exists (select from project where id = task.project));
grant select, insert on task to refers_looks;
