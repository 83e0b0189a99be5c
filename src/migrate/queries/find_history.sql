-- Refinery's history tables called $1, in schema $2 (NULL: any): those of search_path first, in its order. A temporary
-- table of that name hides none of them.
select n.nspname::text as schema, path.place is not null as visible
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.unnest(pg_catalog.current_schemas(false)) with ordinality as path (schema, place)
    on path.schema = n.nspname
where c.relname = $1
  and c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_'
  and ($2::text is null or n.nspname = $2)
  and (select count(*)
       from pg_catalog.pg_attribute as a
       where a.attrelid = c.oid and not a.attisdropped
         and a.attname in ('version', 'name', 'applied_on', 'checksum')) = 4
order by path.place nulls last, schema
