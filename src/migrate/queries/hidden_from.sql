-- Of the tables $1 (NULL: all), those whose rows row security may hide from one of the roles $2; whether they have any rows at all
-- (a table without a single page has none). A role for which a policy says just "true" is shown every row.
select c.oid::bigint as oid,
       (select nspname::text from pg_catalog.pg_namespace where oid = c.relnamespace) as schema,
       c.relname::text as name,
       r.rolname::text as role,
       pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE') as owner,
       (with recursive family (oid) as (
            select c.oid
            union
            select i.inhrelid from pg_catalog.pg_inherits as i join family on i.inhparent = family.oid)
        select sum(coalesce(pg_catalog.pg_relation_size(oid), 0)) > 0 from family) as has_rows,
       shown.to_read,
       shown.to_write
from pg_catalog.pg_class as c
join pg_catalog.pg_roles as r on r.rolname = any ($2::text[])
cross join lateral (
    select not coalesce(bool_or(not p.polpermissive), false)
               and coalesce(bool_or(every_row and p.polcmd in ('*', 'r')), false) as to_read,
           not coalesce(bool_or(not p.polpermissive), false)
               and coalesce(bool_or(every_row and p.polcmd in ('*', 'r')), false)
               and coalesce(bool_or(every_row and p.polcmd in ('*', 'w', 'd')), false) as to_write
    from pg_catalog.pg_policy as p
    cross join lateral (
        select p.polpermissive and pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true' as every_row) as q
    where p.polrelid = c.oid
      and (0 = any (p.polroles)
           or exists (select from pg_catalog.unnest(p.polroles) as member
                      where pg_catalog.pg_has_role(r.oid, member, 'USAGE')))
) as shown
where ($1::bigint[] is null or c.oid::bigint = any ($1::bigint[]))
  and c.relkind in ('r', 'p')
  and c.relrowsecurity
  and not r.rolsuper and not r.rolbypassrls
  and (c.relforcerowsecurity or not pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
order by 1, 2
