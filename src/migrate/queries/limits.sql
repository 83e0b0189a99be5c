-- Time limits of a migration run: $1 is lock_timeout in milliseconds, $2 whether they end with the transaction.
-- transaction_timeout exists since PostgreSQL 17.
select pg_catalog.set_config(
           name,
           case name when 'lock_timeout' then $1 when 'standard_conforming_strings' then 'on' else '0' end,
           $2)
from pg_catalog.pg_settings
where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout',
               'standard_conforming_strings')
