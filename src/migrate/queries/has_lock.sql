-- Whether this backend has the advisory lock $1.
select exists (
    select
    from pg_catalog.pg_locks
    where locktype = 'advisory' and granted and objsubid = 1
      and pid = pg_catalog.pg_backend_pid()
      and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
      and (classid::bigint << 32 | objid::bigint) = $1)
