-- Every reason for which row security would not hold the login role, one a row.
-- $1: the settings that bind a session.
with recursive login as (
    -- Who logged in, whatever SET ROLE or SET SESSION AUTHORIZATION said since.
    select r.oid, r.rolname
    from pg_catalog.pg_roles as r
    where r.oid = coalesce(
        (select a.usesysid from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) as a),
        (select s.oid from pg_catalog.pg_roles as s where s.rolname = session_user)
    )
),
-- INHERIT and SET are options of a membership since PostgreSQL 16; before, the names fall through to `before_16`.
membership as (
    select
        m.roleid, m.member, m.grantor, m.admin_option, m.set_option,
        coalesce(m.inherit_option, r.rolinherit) as inherit_option
    from (select null::pg_catalog.bool as inherit_option, true as set_option) as before_16
    cross join lateral (
        select roleid, member, grantor, admin_option, inherit_option, set_option
        from pg_catalog.pg_auth_members
    ) as m
    join pg_catalog.pg_roles as r on r.oid = m.member
    union all
    select r.oid, d.datdba, null, false, false, true
    from pg_catalog.pg_database as d
    join pg_catalog.pg_roles as r on r.rolname = 'pg_database_owner'
    where d.datname = pg_catalog.current_database()
),
-- Roles that the login role can become (SET ROLE, or granting them to itself), or only has the privileges of; `via` is
-- the login role's own membership that leads there.
reach (oid, becomes, via) as (
    select oid, true, null::pg_catalog.oid from login
    union
    select m.roleid, way.becomes, coalesce(reach.via, m.roleid)
    from reach
    join membership as m on m.member = reach.oid
    cross join lateral (
        select true as becomes where m.admin_option or (reach.becomes and m.set_option)
        union all
        select false where m.inherit_option
    ) as way
),
role as (
    select
        r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolreplication, r.rolcreaterole,
        pg_catalog.bool_or(reach.becomes) as becomes,
        pg_catalog.array_agg(distinct reach.via) filter (where reach.via is not null) as via
    from reach
    join pg_catalog.pg_roles as r on r.oid = reach.oid
    group by r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolreplication, r.rolcreaterole
),
-- Tables that have policies or row security themselves, or through the table that they are a partition of.
guarded as (
    select c.oid, c.relowner, n.nspname, c.relname
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where
        c.relkind in ('r', 'p')
        and c.relowner in (select role.oid from role)
        and (
            c.relrowsecurity
            or exists (select from pg_catalog.pg_policy as p where p.polrelid = c.oid)
            or c.relispartition and exists (
                select
                from pg_catalog.pg_partition_ancestors(c.oid) as a(relid)
                join pg_catalog.pg_class as parent on parent.oid = a.relid
                where parent.relrowsecurity
            )
        )
),
danger (what, role, schemas, names) as (
    select attribute.what, role.oid, null::pg_catalog.text[], null::pg_catalog.text[]
    from role
    cross join lateral (
        values
        ('superuser', role.becomes and role.rolsuper),
        ('bypassrls', role.becomes and role.rolbypassrls),
        ('replication', role.becomes and role.rolreplication),
        -- Until PostgreSQL 15 it may grant itself every role that is no superuser, pg_read_server_files among them.
        (
            'createrole',
            role.becomes and role.rolcreaterole
            and pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 160000
        ),
        (
            'files',
            role.rolname in ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
        ),
        ('all_data', role.rolname in ('pg_read_all_data', 'pg_write_all_data'))
    ) as attribute(what, holds)
    where attribute.holds
    union all
    select
        'tables', t.relowner,
        pg_catalog.array_agg(t.nspname::pg_catalog.text order by t.nspname, t.relname),
        pg_catalog.array_agg(t.relname::pg_catalog.text order by t.nspname, t.relname)
    from guarded as t
    group by t.relowner
    union all
    -- Who replaces the function that a policy asks decides what the policy says.
    select
        'functions', f.proowner,
        pg_catalog.array_agg(distinct f.signature order by f.signature),
        null
    from (
        select
            p.proowner,
            pg_catalog.format(
                '%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)
            ) as signature
        from pg_catalog.pg_depend as d
        join pg_catalog.pg_proc as p on p.oid = d.refobjid
        join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
        where
            d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
            and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            and p.proowner in (select role.oid from role)
    ) as f
    group by f.proowner
),
pinned as (
    select s.setdatabase, s.setrole, pg_catalog.split_part(u.entry, '=', 1) as name
    from pg_catalog.pg_db_role_setting as s
    cross join lateral pg_catalog.unnest(s.setconfig) as u(entry)
    where
        s.setrole in (0, (select login.oid from login))
        and s.setdatabase in (
            0, (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
        )
        and pg_catalog.lower(pg_catalog.split_part(u.entry, '=', 1)) in (
            select pg_catalog.lower(wanted.name) from pg_catalog.unnest($1) as wanted(name)
        )
        -- An empty value is what an unbound session has.
        and pg_catalog.strpos(u.entry, '=') < pg_catalog.length(u.entry)
)
select
    danger.what,
    (select login.rolname::pg_catalog.text from login) as login,
    role.rolname::pg_catalog.text as role,
    role.oid = (select login.oid from login) as is_login,
    role.becomes,
    -- The memberships to revoke, each with who granted it.
    hop.roles,
    hop.grantors,
    danger.schemas,
    danger.names,
    pg_catalog.current_database()::pg_catalog.text as database
from danger
join role on role.oid = danger.role
left join lateral (
    select
        pg_catalog.array_agg(granted.rolname::pg_catalog.text order by granted.rolname, grantor.rolname) as roles,
        pg_catalog.array_agg(grantor.rolname::pg_catalog.text order by granted.rolname, grantor.rolname) as grantors
    from pg_catalog.pg_auth_members as m
    join pg_catalog.pg_roles as granted on granted.oid = m.roleid
    left join pg_catalog.pg_roles as grantor on grantor.oid = m.grantor
    where m.member = (select login.oid from login) and m.roleid = any(role.via)
) as hop on true
union all
select
    case
        when pinned.setrole <> 0 and pinned.setdatabase <> 0 then 'pinned_both'
        when pinned.setrole <> 0 then 'pinned_role'
        when pinned.setdatabase <> 0 then 'pinned_database'
        else 'pinned_all'
    end,
    (select login.rolname::pg_catalog.text from login), null, true, true, null, null,
    array[pinned.name], null, pg_catalog.current_database()::pg_catalog.text
from pinned
union all
select
    'already_set', (select login.rolname::pg_catalog.text from login), null, true, true, null, null,
    array[wanted.name], null, pg_catalog.current_database()::pg_catalog.text
from pg_catalog.unnest($1) as wanted(name)
where
    coalesce(pg_catalog.current_setting(wanted.name, true), '') <> ''
    and not exists (select from pinned where pg_catalog.lower(pinned.name) = pg_catalog.lower(wanted.name))
order by 1, 3, 8;
