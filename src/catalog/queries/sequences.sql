-- Sequences, and the column that owns each (serial or identity).
select
    c.oid,
    n.nspname,
    c.relname,
    c.relowner,
    coalesce(c.relacl, pg_catalog.acldefault('s', c.relowner))::pg_catalog.text[],
    d.refobjid,
    d.refobjsubid::pg_catalog.int2,
    d.deptype = 'i'
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_depend as d
    on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.objid = c.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.deptype in ('a', 'i')
where c.oid >= 16384
    and c.relkind = 'S'
    and c.relpersistence <> 't'
order by n.nspname, c.relname;
