-- The partition can be named directly, and has no row security of its own.
create role disabled_part login;
create table log (tenant_id text not null, at date) partition by range (at);
alter table log enable row level security, force row level security;
create policy tenant on log using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: rls-disabled public.log_all
create table log_all partition of log default;
grant select on log, log_all to disabled_part;
