create role disabled_app login;
-- expect: rls-disabled public.invoice
create table invoice (tenant_id text not null, total int);
grant select, insert on invoice to disabled_app;
