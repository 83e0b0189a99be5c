-- In a policy of its own, cast to boolean, behind a function.
create role switch_boolean login;
create function is_admin() returns boolean language sql stable
    as 'select coalesce(nullif(current_setting(''app.is_admin'', true), ''''), ''false'')::boolean';
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: bypass-switch public.invoice
create policy admin on invoice for select using (is_admin());
grant select, insert on invoice to switch_boolean;
