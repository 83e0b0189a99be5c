-- WITH CHECK looks at something else.
create role unchecked_blind login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy read on invoice for select using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
-- expect: write-unchecked public.invoice
create policy write on invoice for insert with check (total >= 0);
-- expect: write-unchecked public.invoice
create policy change on invoice for update using (tenant_id = nullif(current_setting('app.current_tenant', true), '')) with check (total >= 0);
grant select, insert, update on invoice to unchecked_blind;
