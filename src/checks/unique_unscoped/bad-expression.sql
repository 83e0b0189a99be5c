-- An expression and a range.
create role unique_expression login;
-- expect: unique-unscoped public.invoice
create table invoice (tenant_id text not null, email text, during int4range, exclude using gist (during with &&));
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on invoice to unique_expression;
-- expect: unique-unscoped public.invoice
create unique index on invoice (lower(email));
