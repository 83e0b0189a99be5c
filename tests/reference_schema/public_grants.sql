-- Everything in schema app that PUBLIC may use, PostgreSQL's own defaults included; row types cannot be restricted.
WITH granted (object, acl) AS (
    SELECT 'schema app', coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = 'app'
    UNION ALL
    SELECT oid::regclass::text, coalesce(relacl, acldefault('r', relowner))
      FROM pg_class WHERE relnamespace = 'app'::regnamespace
    UNION ALL
    SELECT attrelid::regclass || '.' || attname, attacl
      FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.relnamespace = 'app'::regnamespace
    UNION ALL
    SELECT oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner))
      FROM pg_proc WHERE pronamespace = 'app'::regnamespace
    UNION ALL
    SELECT oid::regtype::text, coalesce(typacl, acldefault('T', typowner))
      FROM pg_type WHERE typnamespace = 'app'::regnamespace AND typtype <> 'c' AND typcategory <> 'A'
)
SELECT object || ': ' || string_agg(item.privilege_type, ', ' ORDER BY item.privilege_type)
  FROM granted CROSS JOIN LATERAL aclexplode(acl) AS item
 WHERE item.grantee = 0
 GROUP BY object
 ORDER BY object COLLATE "C"
