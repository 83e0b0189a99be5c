-- Tables, partitioned tables, views, materialized views and foreign tables made after initdb (OID 16384 and up), so
-- none of PostgreSQL's own; other sessions' temporary ones left out.
select
    c.oid,
    n.nspname,
    c.relname,
    c.relkind,
    c.relowner,
    c.reltype,
    c.relrowsecurity,
    c.relforcerowsecurity,
    c.relispartition,
    c.relispopulated,
    c.reltuples,
    c.reloptions,
    coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))::pg_catalog.text[],
    array(
        select i.inhparent from pg_catalog.pg_inherits as i where i.inhrelid = c.oid order by i.inhseqno
    ),
    pg_catalog.pg_get_expr(c.relpartbound, c.oid),
    p.partattrs::pg_catalog.int2[],
    case when c.relkind = 'p' then pg_catalog.pg_get_partkeydef(c.oid) end,
    case when c.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(c.oid) end,
    -- Fails on a view over a foreign table whose wrapper has no handler; then everything is taken for updatable.
    case when c.relkind = 'v' and not exists (
        select from pg_catalog.pg_foreign_data_wrapper as w where w.fdwhandler = 0
    ) then pg_catalog.pg_relation_is_updatable(c.oid, true) else 28 end,
    f.ftserver,
    e.refobjid
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_partitioned_table as p on p.partrelid = c.oid
left join pg_catalog.pg_foreign_table as f on f.ftrelid = c.oid
left join pg_catalog.pg_depend as e
    on e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and e.objid = c.oid and e.objsubid = 0 and e.deptype = 'e'
where c.oid >= 16384
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and c.relpersistence <> 't'
order by n.nspname, c.relname;
