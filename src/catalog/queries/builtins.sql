-- PostgreSQL's own functions and settings, and the functions behind users' casts, in one row: what a stored expression means rests on them. `sources` holds the C
-- function behind each function, NULL where it is another language's or runs with other rights or settings.
select
    pg_catalog.version(),
    array(
        select pg_catalog.lower(s.name) from pg_catalog.pg_settings as s order by s.name
    ),
    f.oids,
    f.names,
    f.sources,
    array(
        select c.castfunc from pg_catalog.pg_cast as c where c.castfunc >= 16384 order by c.castfunc
    )
from (
    select
        pg_catalog.array_agg(p.oid order by p.oid) as oids,
        pg_catalog.array_agg(p.proname::pg_catalog.text order by p.oid) as names,
        pg_catalog.array_agg(
            case when p.prolang = 12 and not p.prosecdef and p.proconfig is null then p.prosrc end order by p.oid
        ) as sources
    from pg_catalog.pg_proc as p
    where p.oid < 16384
) as f;
