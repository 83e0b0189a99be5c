-- Extensions.
select e.oid, e.extname, n.nspname, e.extversion, e.extowner
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
order by e.extname;
