-- Without a grant on it, the partition is reached through the table only.
create role disabled_part login;
create table log (tenant_id text not null, at date) partition by range (at);
alter table log enable row level security, force row level security;
create policy tenant on log using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create table log_all partition of log default;
grant select on log to disabled_part;
