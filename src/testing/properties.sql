-- Statements that give the database $2 the settings and grants of its template $1: CREATE DATABASE copies neither.
WITH template AS (SELECT oid, datacl, datdba FROM pg_catalog.pg_database WHERE datname = $1)
SELECT pg_catalog.format(
           'ALTER %s SET %I = %s',
           CASE WHEN s.setrole = 0 THEN pg_catalog.format('DATABASE %I', $2)
                ELSE pg_catalog.format('ROLE %I IN DATABASE %I', pg_catalog.pg_get_userbyid(s.setrole), $2) END,
           pg_catalog.split_part(entry, '=', 1),
           CASE WHEN pg_catalog.split_part(entry, '=', 1) IN ('search_path', 'temp_tablespaces')
                -- A list of identifiers, quoted already; the empty one is stored as "".
                THEN pg_catalog.replace(pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1), '""', '''''')
                ELSE pg_catalog.quote_literal(pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1)) END)
  FROM pg_catalog.pg_db_role_setting AS s
  JOIN template AS t ON t.oid = s.setdatabase
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS entry
UNION ALL
SELECT pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $2) FROM template WHERE datacl IS NOT NULL
UNION ALL
SELECT pg_catalog.format(
           'GRANT %s ON DATABASE %I TO %s%s', g.privilege_type, $2,
           CASE WHEN g.grantee = 0 THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
           CASE WHEN g.is_grantable AND g.grantee <> t.datdba THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM template AS t
 CROSS JOIN LATERAL pg_catalog.aclexplode(t.datacl) AS g
