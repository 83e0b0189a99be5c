-- WITH CHECK looks at a column that a foreign key binds to the tenant, or the tenant column cannot be changed.
create role unchecked_bound login;
create table member (tenant_id text not null, id text not null, primary key (tenant_id, id));
create table invoice (tenant_id text not null, member text not null, total int,
    foreign key (tenant_id, member) references member);
alter table invoice enable row level security, force row level security;
create policy read on invoice for select using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create policy write on invoice for insert with check (member = current_setting('app.current_member', true));
create policy change on invoice for update using (tenant_id = nullif(current_setting('app.current_tenant', true), '')) with check (total >= 0);
alter table member enable row level security, force row level security;
create policy tenant on member using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
create index on invoice (tenant_id, member);
grant select, insert, update (total) on invoice to unchecked_bound;
