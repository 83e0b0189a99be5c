-- Collations under which different strings may be equal: equality on them is not identity.
select c.oid, n.nspname, c.collname
from pg_catalog.pg_collation as c
join pg_catalog.pg_namespace as n on n.oid = c.collnamespace
where not c.collisdeterministic
order by n.nspname, c.collname;
