-- Publications and the tables that each sends. Row filters exist since PostgreSQL 15.
select
    p.pubname,
    p.pubowner,
    p.puballtables,
    coalesce(
        pg_catalog.array_agg(c.oid order by c.oid) filter (where c.oid is not null), '{}'
    ),
    coalesce(
        pg_catalog.array_agg(c.oid order by c.oid) filter (where c.oid is not null and t.rowfilter is not null), '{}'
    )
from pg_catalog.pg_publication as p
left join (
    select t.*
    from (select null::pg_catalog.text as rowfilter) as before_15
    cross join lateral (
        select pubname, schemaname, tablename, rowfilter from pg_catalog.pg_publication_tables
    ) as t
) as t on t.pubname = p.pubname
left join pg_catalog.pg_namespace as n on n.nspname = t.schemaname
left join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = t.tablename
group by p.pubname, p.pubowner, p.puballtables
order by p.pubname;
