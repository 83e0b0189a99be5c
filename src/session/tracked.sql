-- Whether an entry is kept for each text of a SET. The extensions' settings exist where their library is loaded.
SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 180000
    AND 'on' IN (
        COALESCE(pg_catalog.current_setting('pg_stat_statements.track_utility', true), 'off'),
        COALESCE(pg_catalog.current_setting('pg_stat_monitor.pgsm_track_utility', true), 'off')
    )
