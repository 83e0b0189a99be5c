-- Columns of the relations in relations.sql, with the expression of their default or generation.
select
    a.attrelid,
    a.attnum,
    a.attname,
    a.atttypid,
    a.atttypmod,
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    a.attnotnull,
    a.attidentity,
    a.attgenerated,
    a.attcollation,
    a.attislocal,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    a.attacl::pg_catalog.text[]
from pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
left join pg_catalog.pg_attrdef as d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum
where c.oid >= 16384
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and c.relpersistence <> 't'
    and a.attnum > 0
    and not a.attisdropped
order by a.attrelid, a.attnum;
