-- Operators made after initdb, extensions' included.
select o.oid, n.nspname, o.oprname, o.oprleft, o.oprright, o.oprcode::pg_catalog.oid
from pg_catalog.pg_operator as o
join pg_catalog.pg_namespace as n on n.oid = o.oprnamespace
where o.oid >= 16384
order by n.nspname, o.oprname, o.oid;
