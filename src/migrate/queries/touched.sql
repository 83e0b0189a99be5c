-- What this transaction has done so far to each user table: whether it is locked as the target of INSERT, UPDATE, DELETE
-- or MERGE (a lock that is taken even when no row matches), how many rows it changed and scans it made, and whether it
-- has made or altered the table itself.
with held as materialized (
    select distinct relation
    from pg_catalog.pg_locks
    where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and mode = 'RowExclusiveLock' and granted
)
select c.oid::bigint as oid,
       n.nspname::text as schema,
       c.relname::text as name,
       held.relation is not null as locked,
       s.inserted,
       s.changed,
       s.scans,
       c.xmin = this.xid as fresh,
       array(with recursive above (oid) as (
                 select inhparent from pg_catalog.pg_inherits where inhrelid = c.oid
                 union
                 select i.inhparent from pg_catalog.pg_inherits as i join above on i.inhrelid = above.oid)
             select oid::bigint from above) as ancestors,
       array(select f.confrelid::bigint
             from pg_catalog.pg_constraint as f
             where f.conrelid = c.oid and f.contype = 'f'
               and (f.confdeltype in ('c', 'n', 'd') or f.confupdtype in ('c', 'n', 'd'))) as cascades_from
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join held on held.relation = c.oid
cross join (select pg_catalog.pg_current_xact_id()::xid as xid) as this
cross join lateral (
    select pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) as inserted,
           pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
               + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) as changed,
           pg_catalog.pg_stat_get_xact_numscans(c.oid)
               + (select coalesce(sum(pg_catalog.pg_stat_get_xact_numscans(i.indexrelid)), 0)::bigint
                  from pg_catalog.pg_index as i where i.indrelid = c.oid) as scans
) as s
where c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (held.relation is not null or s.inserted + s.changed + s.scans > 0 or c.xmin = this.xid)
order by 2, 3
