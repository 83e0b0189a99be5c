-- Settings pinned to a role, to this database, or to both, each as name=value. 0 stands for "every".
select s.setdatabase, s.setrole, u.setting
from pg_catalog.pg_db_role_setting as s
cross join lateral pg_catalog.unnest(s.setconfig) as u(setting)
where s.setdatabase in (
    0, (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
)
order by s.setdatabase, s.setrole, u.setting;
