-- Triggers that somebody made; those that carry out constraints are PostgreSQL's own.
select
    t.oid,
    t.tgrelid,
    t.tgname,
    t.tgfoid,
    t.tgtype,
    t.tgenabled,
    t.tgparentid,
    t.tgattr::pg_catalog.int2[],
    t.tgqual is not null
from pg_catalog.pg_trigger as t
where not t.tgisinternal
order by t.tgrelid, t.tgname;
