-- The partitions and inheritance children of table $1, at any depth.
with recursive family (oid) as (
    select inhrelid from pg_catalog.pg_inherits where inhparent = $1::bigint::oid
    union
    select i.inhrelid from pg_catalog.pg_inherits as i join family on i.inhparent = family.oid
)
select oid::bigint from family order by 1
