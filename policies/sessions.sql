-- Sessions of users.

SET LOCAL ROLE app_owner;

ALTER TABLE app.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.sessions;
CREATE POLICY tenant_isolation ON app.sessions
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For app.find_session: an expired session is not found.
DROP POLICY IF EXISTS lookup ON app.sessions;
CREATE POLICY lookup ON app.sessions
    FOR SELECT TO app_lookup
    USING (expires_at > now());

-- For app.purge_expired_logins: expired rows and nothing else.
DROP POLICY IF EXISTS maintenance ON app.sessions;
CREATE POLICY maintenance ON app.sessions
    FOR ALL TO app_maintenance
    USING (expires_at <= now())
    WITH CHECK (false);

REVOKE ALL ON TABLE app.sessions FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.sessions TO app_user;
GRANT INSERT (tenant_id, id, user_id, token_hash, expires_at) ON TABLE app.sessions TO app_user;
GRANT UPDATE (token_hash, expires_at) ON TABLE app.sessions TO app_user;
GRANT SELECT (tenant_id, user_id, token_hash) ON TABLE app.sessions TO app_lookup;
GRANT SELECT (tenant_id, id, expires_at), DELETE ON TABLE app.sessions TO app_maintenance;
