-- Rate limits.

SET LOCAL ROLE app_owner;

ALTER TABLE app.rate_limits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.rate_limits;
CREATE POLICY tenant_isolation ON app.rate_limits
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For app.purge_rate_limits: counters whose window is over and nothing else.
DROP POLICY IF EXISTS maintenance ON app.rate_limits;
CREATE POLICY maintenance ON app.rate_limits
    FOR ALL TO app_maintenance
    USING (window_ends_at <= now())
    WITH CHECK (false);

REVOKE ALL ON TABLE app.rate_limits FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.rate_limits TO app_user;
GRANT INSERT (tenant_id, id, name, used, window_started_at, window_ends_at) ON TABLE app.rate_limits TO app_user;
GRANT UPDATE (used, window_started_at, window_ends_at) ON TABLE app.rate_limits TO app_user;
GRANT SELECT (tenant_id, id, window_ends_at), DELETE ON TABLE app.rate_limits TO app_maintenance;
