-- PostgreSQL's own tables and views whose grants are not those that initdb made.
select c.relname, c.relowner, c.relacl::pg_catalog.text[]
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.oid < 16384
    and c.relkind in ('r', 'v')
    and n.nspname = 'pg_catalog'
    and c.relacl is not null
    and c.relacl is distinct from (
        select i.initprivs
        from pg_catalog.pg_init_privs as i
        where i.objoid = c.oid and i.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and i.objsubid = 0
    )
order by c.relname;
