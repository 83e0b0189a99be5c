-- The roles as which a file's statements may have run besides its own: the owners of the views that this transaction has
-- written through, and of the SECURITY DEFINER functions among the names $1.
select pg_catalog.pg_get_userbyid(c.relowner)::text
from pg_catalog.pg_locks as l
join pg_catalog.pg_class as c on c.oid = l.relation
where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted
  and c.relkind = 'v'
union
select pg_catalog.pg_get_userbyid(p.proowner)::text
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where p.prosecdef and p.proname = any ($1::text[]) and n.nspname <> 'pg_catalog'
