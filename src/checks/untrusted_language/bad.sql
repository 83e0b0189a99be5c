create role untrusted_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select on invoice to untrusted_app;
-- expect: untrusted-language public.as_text(integer)
create function as_text(integer) returns cstring language c immutable as '$libdir/plpgsql', 'plpgsql_call_handler';
