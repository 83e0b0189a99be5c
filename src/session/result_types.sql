-- The types that a result can have beside PostgreSQL's own: enums, ranges, composite and extension types, their arrays.
-- Not domains, which are sent as their base types, and not the row types of tables.
SELECT n.nspname::text, t.typname::text
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type element ON element.oid = t.typelem
  LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(nullif(t.typrelid, 0), element.typrelid)
 WHERE t.oid >= 16384
   AND t.typisdefined
   AND t.typtype IN ('b', 'c', 'e', 'm', 'r')
   AND (c.oid IS NULL OR c.relkind = 'c')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
 ORDER BY t.oid
 LIMIT 400
