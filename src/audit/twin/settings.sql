-- Settings of roles and of this database.
SELECT r.rolname::text, s.setdatabase <> 0, pg_catalog.split_part(c, '=', 1), pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1)
FROM pg_catalog.pg_db_role_setting AS s
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
CROSS JOIN pg_catalog.unnest(s.setconfig) AS c
WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                             WHERE d.datname = pg_catalog.current_database()))
  AND (s.setrole = 0) = (r.rolname IS NULL)
ORDER BY 1, 2, 3
