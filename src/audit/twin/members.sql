-- Who is a member of what. How a membership works was the member's business before PostgreSQL 16: `options` is NULL there.
SELECT g.rolname::text, m.rolname::text, bool_or(a.admin_option),
       bool_or((pg_catalog.to_jsonb(a) ->> 'inherit_option')::boolean),
       bool_or((pg_catalog.to_jsonb(a) ->> 'set_option')::boolean)
FROM pg_catalog.pg_auth_members AS a
JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
GROUP BY g.rolname, m.rolname
ORDER BY g.rolname, m.rolname
