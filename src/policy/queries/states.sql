-- Row security of user tables; $1 limits them to these OIDs (NULL: all). Needs an empty search_path, so that the
-- expressions name everything with its schema.
select n.nspname::text as schema,
       c.relname::text as name,
       c.oid::bigint as oid,
       pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') as may_alter,
       pg_catalog.json_build_object(
           'enabled', c.relrowsecurity,
           'forced', c.relforcerowsecurity,
           'policies', coalesce(
               (select pg_catalog.json_object_agg(p.polname, pg_catalog.json_build_object(
                           'command', case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
                                                    when 'd' then 'DELETE' else 'ALL' end,
                           'permissive', p.polpermissive,
                           'roles', (select pg_catalog.json_agg(role order by role)
                                     from (select case when member = 0 then 'public'
                                                       else pg_catalog.pg_get_userbyid(member)::text end as role
                                           from pg_catalog.unnest(p.polroles) as member) as named),
                           'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                           'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)))
                from pg_catalog.pg_policy as p
                where p.polrelid = c.oid),
               '{}'::json))::text as state
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and ($1::bigint[] is null or c.oid::bigint = any ($1))
order by 1, 2
