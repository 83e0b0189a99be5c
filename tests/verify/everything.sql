-- One of everything that the catalog holds.
create role cat_app login;
create role cat_group;
create role cat_owner;
grant cat_group to cat_app;
alter role cat_app set app.current_tenant = 'ten_pinned';
alter role cat_app set app.secret = 'do not keep';
create schema shop authorization cat_owner;
grant usage on schema shop to cat_app;
create type shop.state as enum ('new', 'paid');
create domain shop.email as text not null check (value like '%@%');
create type shop.point as (x int, y int);
create table shop.tenants (id text primary key, name text);
create table shop.orders (
    id bigint generated always as identity,
    tenant_id text not null references shop.tenants (id) on delete cascade,
    state shop.state default 'new',
    contact shop.email,
    at timestamptz not null default now(),
    total numeric(12, 2) check (total >= 0),
    doubled numeric generated always as (total * 2) stored,
    primary key (tenant_id, id)
);
create table shop.lines (
    tenant_id text not null, order_id bigint not null, n int,
    foreign key (tenant_id, order_id) references shop.orders (tenant_id, id),
    exclude using btree (tenant_id with =, n with =)
);
create unique index lines_lower on shop.lines (lower(tenant_id), n) where n > 0;
alter table shop.orders owner to cat_owner;
alter table shop.orders enable row level security;
alter table shop.orders force row level security;
create function shop.mine() returns text language sql stable as 'select current_setting(''app.current_tenant'', true)';
create function shop.count_orders(text) returns bigint language sql security definer set search_path = ''
    begin atomic; select count(*) from shop.orders; end;
create policy mine on shop.orders to cat_app using (tenant_id = shop.mine())
    with check (tenant_id in (select id from shop.tenants));
grant select, insert on shop.orders to cat_app with grant option;
grant update (state) on shop.orders to cat_group;
create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
create trigger touch before update of state on shop.orders for each row when (old.state is distinct from new.state)
    execute function shop.touch();
create rule no_delete as on delete to shop.lines do instead nothing;
create table shop.events (tenant_id text, at date) partition by range (at);
create table shop.events_2026 partition of shop.events for values from ('2026-01-01') to ('2027-01-01');
create table shop.base (a int);
create table shop.derived (b int) inherits (shop.base);
create view shop.open_orders with (security_barrier = true) as select * from shop.orders where state = 'new';
create materialized view shop.totals as select tenant_id, sum(total) from shop.open_orders group by 1;
create sequence shop.numbers;
grant usage on sequence shop.numbers to cat_app;
create publication everything for table shop.orders;
alter default privileges in schema shop grant select on tables to cat_app;
create foreign data wrapper fdw;
create server far foreign data wrapper fdw options (host 'secret-host');
create foreign table shop.far_rows (tenant_id text) server far;
create collation shop.loose (provider = icu, locale = 'und', deterministic = false);
create operator shop.=== (leftarg = text, rightarg = text, function = texteq);
select lo_create(0);
grant select on pg_catalog.pg_statistic to cat_app;
