-- rls.toml: roles = ["owns_member"]
-- Owned by a group that the application inherits from; the other table is not its own.
create role owns_group;
create role owns_member login in role owns_group;
create table invoice (tenant_id text not null, total int);
create table payment (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
alter table payment enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create policy tenant on payment using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on payment to owns_member;
-- expect: role-owns-tables public.invoice
alter table invoice owner to owns_group;
