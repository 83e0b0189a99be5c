create role {app} login;
create role {owner};
create role {free};
create role {team};
create schema guarded;
grant usage on schema guarded to {app}, {owner}, {free}, {team}, pg_database_owner;
create function guarded.may_see(tenant text) returns bool language sql stable
    as $$ select tenant = nullif(current_setting('{setting}', true), '') $$;
create table guarded.items (tenant_id text);
insert into guarded.items values ('a'), ('b');
create policy tenant_isolation on guarded.items using (guarded.may_see(tenant_id));
alter table guarded.items enable row level security, force row level security;
alter table guarded.items owner to {owner};
grant select on guarded.items to {app}, {free}, {owner};
-- The policy of a partitioned table does not hold who reads the partition itself; only missing privileges do.
create table guarded.logs (tenant_id text) partition by list (tenant_id);
create table guarded.logs_1 partition of guarded.logs for values in ('a', 'b');
insert into guarded.logs values ('a'), ('b');
alter table guarded.logs enable row level security, force row level security;
alter table guarded.logs owner to {owner};
alter table guarded.logs_1 owner to {owner};
create table guarded.unpoliced (tenant_id text);
insert into guarded.unpoliced values ('a'), ('b');
