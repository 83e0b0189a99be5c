create role perrow_app login;
create function tenant_now() returns text language plpgsql stable as $$
begin
    return nullif(current_setting('app.current_tenant', true), '');
end $$;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = (select tenant_now()));
grant select on invoice to perrow_app;
