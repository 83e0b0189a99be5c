create role uncategorised_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to uncategorised_app;
create table task_of_tenant (tenant_id text not null, id int primary key);
alter table task_of_tenant enable row level security, force row level security;
create policy tenant on task_of_tenant using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on task_of_tenant to uncategorised_app;
-- expect: table-uncategorised public.note
create table note (body text);
-- expect: table-uncategorised public.attachment
create table attachment (task int references task_of_tenant, body text);
grant select, insert on note to uncategorised_app;
grant select on attachment to uncategorised_app;
