-- Schemas, PostgreSQL's own included (functions in them can be named), temporary and TOAST ones left out.
select
    n.oid,
    n.nspname,
    n.nspowner,
    coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))::pg_catalog.text[]
from pg_catalog.pg_namespace as n
where n.nspname !~ '^pg_(toast|temp)'
order by n.nspname;
