-- ALTER DEFAULT PRIVILEGES: what objects made later by a role (in a schema, or everywhere) will be granted.
select d.defaclrole, n.nspname, d.defaclobjtype, d.defaclacl::pg_catalog.text[]
from pg_catalog.pg_default_acl as d
left join pg_catalog.pg_namespace as n on n.oid = d.defaclnamespace
order by d.defaclrole, n.nspname, d.defaclobjtype;
