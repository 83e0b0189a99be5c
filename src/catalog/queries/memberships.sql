-- Who is a member of what. The options INHERIT and SET exist since PostgreSQL 16; before, the names fall through to
-- the row `before_16`: SET was always allowed, and inheriting was an attribute of the member.
select m.roleid, m.member, m.admin_option, m.inherit_option, m.set_option
from (select null::pg_catalog.bool as inherit_option, true as set_option) as before_16
cross join lateral (
    select roleid, member, admin_option, inherit_option, set_option
    from pg_catalog.pg_auth_members
) as m
join pg_catalog.pg_roles as granted on granted.oid = m.roleid
join pg_catalog.pg_roles as grantee on grantee.oid = m.member
order by granted.rolname, grantee.rolname;
