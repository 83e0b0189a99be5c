-- Tables {first} to {last}, each with four policies and an index; a view per five.
do $$
begin
  for n in {first} .. {last} loop
    execute format('create table app.t%1$s (id text collate "C" primary key, tenant_id text collate "C" not null,
      name text, amount numeric, done boolean, made timestamptz, n%2$s int)', n, n % 7);
    execute format('create index on app.t%s (tenant_id)', n);
    execute format('alter table app.t%1$s enable row level security, force row level security', n);
    execute format('create policy read on app.t%s for select
      using (tenant_id = nullif(current_setting(''app.current_tenant'', true), ''''))', n);
    execute format('create policy add on app.t%s for insert
      with check (tenant_id = nullif(current_setting(''app.current_tenant'', true), ''''))', n);
    execute format('create policy change on app.t%s for update
      using (tenant_id = nullif(current_setting(''app.current_tenant'', true), ''''))
      with check (tenant_id = nullif(current_setting(''app.current_tenant'', true), ''''))', n);
    execute format('create policy remove on app.t%s for delete
      using (tenant_id = nullif(current_setting(''app.current_tenant'', true), '''') and n%s is distinct from 0)', n, n % 7);
    execute format('grant select, insert, update, delete on app.t%s to bench_app', n);
    if n % 5 = 4 then
      execute format('create view app.v%1$s with (security_barrier) as select a.id, b.name from app.t%1$s a join app.t%2$s b using (id)',
        n, n - 1);
    end if;
  end loop;
end $$;
