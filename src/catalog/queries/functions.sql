-- Functions and procedures made after initdb, extensions' included, and those of PostgreSQL that were granted anew.
select
    p.oid,
    n.nspname,
    p.proname,
    p.proowner,
    p.prokind,
    l.lanname,
    l.lanpltrusted,
    p.prosecdef,
    p.proleakproof,
    p.provolatile,
    p.proisstrict,
    p.proretset,
    p.prorettype,
    p.proargtypes::pg_catalog.oid[],
    p.proallargtypes,
    p.proargmodes::pg_catalog.text[],
    p.proargnames,
    p.pronargdefaults,
    p.provariadic,
    pg_catalog.pg_get_function_identity_arguments(p.oid),
    p.proconfig,
    coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))::pg_catalog.text[],
    case when e.refobjid is null then p.prosrc end,
    p.prosqlbody::pg_catalog.text,
    e.refobjid
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
join pg_catalog.pg_language as l on l.oid = p.prolang
left join pg_catalog.pg_depend as e
    on e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    and e.objid = p.oid and e.objsubid = 0 and e.deptype = 'e'
where p.oid >= 16384
    or p.proacl is not null and p.proacl is distinct from (
        select i.initprivs
        from pg_catalog.pg_init_privs as i
        where i.objoid = p.oid and i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and i.objsubid = 0
    )
order by n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid);
