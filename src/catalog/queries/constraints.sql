-- Constraints of tables and domains. NOT NULL is in columns.sql; here only those that PostgreSQL 18 has not validated.
-- Columns that older versions lack fall through to the row `older`.
select
    c.oid,
    c.conrelid,
    c.contypid,
    c.conname,
    c.contype,
    c.convalidated,
    c.conenforced,
    c.condeferrable,
    c.condeferred,
    c.conparentid,
    c.conindid,
    c.conkey,
    c.confrelid,
    c.confkey,
    c.confupdtype,
    c.confdeltype,
    c.confmatchtype,
    c.confdelsetcols,
    case when c.contype = 'c' then pg_catalog.pg_get_expr(c.conbin, c.conrelid)
        when c.contype = 'x' then pg_catalog.pg_get_constraintdef(c.oid) end,
    c.connoinherit,
    c.conbin::pg_catalog.text
from (select true as conenforced, null::pg_catalog.int2[] as confdelsetcols) as older
cross join lateral (
    select
        oid, conrelid, contypid, conname, contype, convalidated, conenforced, condeferrable, condeferred,
        conparentid, conindid, conkey, confrelid, confkey, confupdtype, confdeltype, confmatchtype,
        confdelsetcols, connoinherit, conbin
    from pg_catalog.pg_constraint
) as c
where c.oid >= 16384
    and (c.contype in ('c', 'f', 'p', 'u', 'x') or c.contype = 'n' and not c.convalidated)
order by c.conrelid, c.contypid, c.conname, c.oid;
