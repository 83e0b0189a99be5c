-- What the connection is and may: decides how it becomes the audited role, and whether it can make rows at all.
SELECT current_user,
       r.rolsuper,
       r.rolbypassrls,
       pg_catalog.pg_is_in_recovery()
         OR pg_catalog.current_setting('transaction_read_only')::boolean AS read_only,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') AS temporary,
       pg_catalog.current_setting('server_version_num')::integer AS version
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = current_user
