-- Types: base, domain, enum, range, multirange and pseudo types, and composite types made by CREATE TYPE. Row types of
-- tables and the arrays over them are left out: there is one of each per table.
select
    t.oid,
    n.nspname,
    t.typname,
    t.typtype,
    t.typcategory,
    t.typelem,
    t.typarray,
    t.typbasetype,
    t.typtypmod,
    t.typnotnull,
    t.typdefault,
    t.typcollation,
    case when t.typtype in ('d', 'r') then coalesce(r.rngsubtype, 0) else 0 end,
    case when t.typtype = 'e' then array(
        select v.enumlabel::pg_catalog.text from pg_catalog.pg_enum as v
        where v.enumtypid = t.oid order by v.enumsortorder
    ) end,
    case when t.typtype = 'e' then array(
        select v.oid from pg_catalog.pg_enum as v
        where v.enumtypid = t.oid order by v.enumsortorder
    ) end,
    case when t.typtype = 'c' then array(
        select a.attname::pg_catalog.text from pg_catalog.pg_attribute as a
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped order by a.attnum
    ) end,
    case when t.typtype = 'c' then array(
        select a.atttypid from pg_catalog.pg_attribute as a
        where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped order by a.attnum
    ) end,
    e.refobjid
from pg_catalog.pg_type as t
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
left join pg_catalog.pg_class as c on c.oid = t.typrelid
left join pg_catalog.pg_type as element on element.oid = t.typelem and t.typcategory = 'A'
left join pg_catalog.pg_class as element_class on element_class.oid = element.typrelid
left join pg_catalog.pg_range as r on r.rngtypid = t.oid
left join pg_catalog.pg_depend as e
    on e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
    and e.objid = t.oid and e.objsubid = 0 and e.deptype = 'e'
where (c.oid is null or c.relkind = 'c')
    and (element_class.oid is null or element_class.relkind = 'c')
    and n.nspname !~ '^pg_(toast|temp)'
order by n.nspname, t.typname;
