-- No tenant column: the row belongs to whom its parent belongs to.
create role disabled_child login;
create table invoice (tenant_id text not null, id int primary key);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: rls-disabled public.line
create table line (invoice int not null references invoice, amount int);
grant select on invoice, line to disabled_child;
