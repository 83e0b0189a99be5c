-- Everything is permitted, and a RESTRICTIVE policy keeps the border.
create role true_restricted login;
create table invoice (tenant_id text not null, total int);
alter table invoice enable row level security, force row level security;
create policy permit on invoice using (true);
create policy tenant on invoice as restrictive
    using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
grant select, insert on invoice to true_restricted;
