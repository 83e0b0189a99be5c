-- Cached responses.

SET LOCAL ROLE app_owner;

ALTER TABLE app.response_caches ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.response_caches;
CREATE POLICY tenant_isolation ON app.response_caches
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For app.purge_response_caches: expired rows and nothing else.
DROP POLICY IF EXISTS maintenance ON app.response_caches;
CREATE POLICY maintenance ON app.response_caches
    FOR ALL TO app_maintenance
    USING (expires_at <= now())
    WITH CHECK (false);

REVOKE ALL ON TABLE app.response_caches FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.response_caches TO app_user;
GRANT INSERT (tenant_id, id, process_version_id, input_hash, output, expires_at)
    ON TABLE app.response_caches TO app_user;
GRANT UPDATE (output, expires_at) ON TABLE app.response_caches TO app_user;
GRANT SELECT (tenant_id, id, expires_at), DELETE ON TABLE app.response_caches TO app_maintenance;
