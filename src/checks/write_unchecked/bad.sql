create role unchecked_app login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
-- expect: write-unchecked public.invoice
-- expect: write-unchecked public.invoice
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    with check (true);
grant select, insert, update on invoice to unchecked_app;
