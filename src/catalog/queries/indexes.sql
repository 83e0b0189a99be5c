-- Indexes. A key of 0 in `indkey` is an expression; those after `indnkeyatts` are merely included.
-- NULLS NOT DISTINCT exists since PostgreSQL 15.
select
    i.indexrelid,
    i.indrelid,
    c.relname,
    m.amname,
    i.indisunique,
    i.indnullsnotdistinct,
    i.indisprimary,
    i.indisexclusion,
    i.indisvalid,
    i.indkey::pg_catalog.int2[],
    i.indnkeyatts,
    pg_catalog.pg_get_expr(i.indexprs, i.indrelid),
    pg_catalog.pg_get_expr(i.indpred, i.indrelid)
from (select false as indnullsnotdistinct) as before_15
cross join lateral (
    select
        indexrelid, indrelid, indisunique, indnullsnotdistinct, indisprimary, indisexclusion, indisvalid,
        indkey, indnkeyatts, indexprs, indpred
    from pg_catalog.pg_index
) as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
join pg_catalog.pg_class as t on t.oid = i.indrelid
join pg_catalog.pg_am as m on m.oid = c.relam
where i.indexrelid >= 16384
    and t.relkind in ('r', 'p', 'm')
    and t.relpersistence <> 't'
order by i.indrelid, c.relname;
