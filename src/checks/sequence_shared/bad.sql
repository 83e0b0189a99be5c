create role sequence_app login;
create table invoice (tenant_id text not null, id serial, total int);
alter table invoice enable row level security, force row level security;
create policy tenant on invoice using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on invoice to sequence_app;
-- expect: sequence-shared role:sequence_app
grant usage on sequence invoice_id_seq to sequence_app;
