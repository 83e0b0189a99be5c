-- API keys. A key never gets another hash or environment: a new key is a new row.

SET LOCAL ROLE app_owner;

ALTER TABLE app.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.api_keys;
CREATE POLICY tenant_isolation ON app.api_keys
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For app.find_api_key: an expired, revoked or deleted key is not found.
DROP POLICY IF EXISTS lookup ON app.api_keys;
CREATE POLICY lookup ON app.api_keys
    FOR SELECT TO app_lookup
    USING (revoked_at IS NULL AND deleted_at IS NULL AND (expires_at IS NULL OR expires_at > now()));

REVOKE ALL ON TABLE app.api_keys FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.api_keys TO app_user;
GRANT INSERT (tenant_id, id, name, key_hash, scopes, environment, expires_at) ON TABLE app.api_keys TO app_user;
GRANT UPDATE (name, scopes, expires_at, revoked_at, last_used_at, deleted_at) ON TABLE app.api_keys TO app_user;
GRANT SELECT (tenant_id, id, key_hash) ON TABLE app.api_keys TO app_lookup;
