-- Every role of the cluster. pg_roles, because pg_authid is for superusers.
select
    r.oid, r.rolname,
    r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls
from pg_catalog.pg_roles as r
order by r.rolname;
