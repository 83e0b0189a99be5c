-- Logins at identity providers.

SET LOCAL ROLE app_owner;

ALTER TABLE app.accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.accounts;
CREATE POLICY tenant_isolation ON app.accounts
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For app.find_account. It sees no token: its grant below is by column.
DROP POLICY IF EXISTS lookup ON app.accounts;
CREATE POLICY lookup ON app.accounts
    FOR SELECT TO app_lookup
    USING (true);

REVOKE ALL ON TABLE app.accounts FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.accounts TO app_user;
GRANT INSERT (tenant_id, id, user_id, type, provider, provider_account_id, refresh_token, access_token, expires_at,
              token_type, scope, id_token, session_state)
    ON TABLE app.accounts TO app_user;
GRANT UPDATE (type, refresh_token, access_token, expires_at, token_type, scope, id_token, session_state)
    ON TABLE app.accounts TO app_user;
GRANT SELECT (tenant_id, user_id, provider, provider_account_id) ON TABLE app.accounts TO app_lookup;
