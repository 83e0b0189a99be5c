-- Basejump/Supabase-like
create schema auth; create schema basejump;
create function auth.uid() returns uuid language sql stable as $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
create table auth.users(id uuid primary key default gen_random_uuid(), email text);
create table public.accounts(id uuid primary key default gen_random_uuid(), name text, created_by uuid references auth.users);
create table basejump.account_user(user_id uuid references auth.users not null, account_id uuid references public.accounts not null, role text not null default 'member', primary key(user_id, account_id));
create function basejump.has_role_on_account(account_id uuid) returns boolean language sql security definer stable set search_path = '' as $$
  select exists(select 1 from basejump.account_user wu where wu.user_id = auth.uid() and wu.account_id = has_role_on_account.account_id) $$;
create table public.projects(id uuid primary key default gen_random_uuid(), account_id uuid not null references public.accounts, name text);
create table public.tasks(id uuid primary key default gen_random_uuid(), project_id uuid not null references public.projects, title text);
create role idy_member login;
grant usage on schema public, auth, basejump to idy_member;
grant select, insert, update, delete on public.accounts, public.projects, public.tasks to idy_member;
grant select on basejump.account_user to idy_member;
grant execute on function auth.uid() to idy_member;
alter table accounts enable row level security; alter table projects enable row level security; alter table tasks enable row level security; alter table basejump.account_user enable row level security;
create policy see_own on basejump.account_user for select to idy_member using (user_id = (select auth.uid()));
create policy acc on accounts for select to idy_member using (basejump.has_role_on_account(id));
create policy proj on projects for all to idy_member using (account_id in (select account_id from basejump.account_user where user_id = auth.uid()));
create policy tsk on tasks for all to idy_member using (exists (select 1 from projects p where p.id = project_id));
