-- Refinery's history tables called $1, in schema $2 (NULL: any): visible ones first.
select n.nspname::text as schema, pg_catalog.pg_table_is_visible(c.oid) as visible
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relname = $1
  and c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_'
  and ($2::text is null or n.nspname = $2)
  and (select count(*)
       from pg_catalog.pg_attribute as a
       where a.attrelid = c.oid and not a.attisdropped
         and a.attname in ('version', 'name', 'applied_on', 'checksum')) = 4
order by visible desc, schema
