-- What views, rules, policies and SQL-standard function bodies refer to: relations (with columns) and functions.
-- A view depends on things through its rule _RETURN.
select
    d.classid::pg_catalog.regclass::pg_catalog.text,
    case when r.rulename = '_RETURN' then r.ev_class else d.objid end,
    coalesce(r.rulename = '_RETURN', false),
    d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass,
    d.refobjid,
    pg_catalog.array_agg(distinct d.refobjsubid::pg_catalog.int2)
from pg_catalog.pg_depend as d
left join pg_catalog.pg_rewrite as r
    on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and r.oid = d.objid
left join pg_catalog.pg_policy as p
    on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and p.oid = d.objid
where d.objid >= 16384
    and d.classid in (
        'pg_catalog.pg_rewrite'::pg_catalog.regclass,
        'pg_catalog.pg_policy'::pg_catalog.regclass,
        'pg_catalog.pg_proc'::pg_catalog.regclass
    )
    and d.refclassid in ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)
    and d.deptype in ('n', 'a')
    and (r.oid is null or d.refobjid <> r.ev_class)
    and (p.oid is null or d.refobjid <> p.polrelid)
group by 1, 2, 3, 4, 5
order by 1, 2, 3, 4, 5;
