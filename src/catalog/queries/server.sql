-- The server, the database and who is asking. One row.
select
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
    d.datname,
    d.datdba,
    coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))::pg_catalog.text[],
    current_user,
    session_user,
    r.rolsuper,
    r.rolbypassrls,
    pg_catalog.current_setting('wal_level'),
    pg_catalog.current_setting('row_security')
from pg_catalog.pg_database as d
join pg_catalog.pg_roles as r on r.rolname = current_user
where d.datname = pg_catalog.current_database();
