-- Indexes that are not valid; those of partitioned tables may rightly wait for their partitions.
select n.nspname::text, c.relname::text
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where not i.indisvalid and c.relkind = 'i'
order by 1, 2
