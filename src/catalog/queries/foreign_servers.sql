-- Foreign servers, their wrappers, and the roles that have a user mapping (0 is PUBLIC). Options may hold secrets.
select
    s.oid,
    s.srvname,
    w.fdwname,
    s.srvowner,
    coalesce(s.srvacl, pg_catalog.acldefault('S', s.srvowner))::pg_catalog.text[],
    array(select m.umuser from pg_catalog.pg_user_mappings as m where m.srvid = s.oid order by m.umuser)
from pg_catalog.pg_foreign_server as s
join pg_catalog.pg_foreign_data_wrapper as w on w.oid = s.srvfdw
order by s.srvname;
