create role {role} login;
create schema shop;
grant usage on schema shop to {role};
create table shop.items (
    -- Where an INSERT does not say whose the row is, the binding decides: a wrong binding shows as a row of the wrong
    -- tenant.
    tenant_id text not null default current_setting('app.current_tenant', true),
    id text not null,
    n int8 not null default 0,
    primary key (tenant_id, id)
);
create policy tenant_isolation on shop.items
    using (tenant_id = nullif(current_setting('app.current_tenant', true), ''));
alter table shop.items enable row level security, force row level security;
grant select, insert, update, delete on shop.items to {role};
insert into shop.items (tenant_id, id)
    select tenant, tenant || '-' || n from unnest(array['a', 'b']) as tenant, generate_series(1, 3) as n;
