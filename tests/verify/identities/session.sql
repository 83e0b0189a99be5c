-- session id looked up in a private table by a definer helper
create schema priv;
create table orgs(id uuid primary key default gen_random_uuid(), name text not null);
create table members(id uuid primary key default gen_random_uuid(), org_id uuid not null references orgs, email text not null);
create table priv.sessions(token uuid primary key default gen_random_uuid(), member_id uuid not null references members);
create table invoices(id uuid primary key default gen_random_uuid(), org_id uuid not null references orgs, amount numeric not null);
create table lines(id uuid primary key default gen_random_uuid(), invoice_id uuid not null references invoices, what text);
create function priv.current_org() returns uuid language plpgsql security definer stable set search_path = pg_catalog, pg_temp as $$
declare found uuid;
begin
  select m.org_id into found from priv.sessions s join public.members m on m.id = s.member_id
   where s.token = nullif(current_setting('jwt.claims.session_id', true), '')::uuid;
  return found;
end $$;
create role idy_visitor login;
grant usage on schema priv to idy_visitor;
grant select, insert, update, delete on orgs, members, invoices, lines to idy_visitor;
alter table orgs enable row level security; alter table members enable row level security; alter table invoices enable row level security; alter table lines enable row level security;
create policy o on orgs using (id = priv.current_org());
create policy o on members using (org_id = (select priv.current_org()));
create policy o on invoices using (org_id = (select priv.current_org()));
create policy o on lines using (exists (select 1 from invoices i where i.id = invoice_id));
