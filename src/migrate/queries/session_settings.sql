-- Settings that this session changed with SET and that RESET ALL would undo.
select name, setting
from pg_catalog.pg_settings
where source = 'session'
  and context in ('user', 'superuser')
  and name not like 'transaction\_%'
  and name not in ('role', 'session_authorization', 'is_superuser', 'seed')
order by name
