-- Tokens sent to verify an e-mail address.

SET LOCAL ROLE app_owner;

ALTER TABLE app.verification_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.verification_tokens;
CREATE POLICY tenant_isolation ON app.verification_tokens
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For app.find_verification_token: an expired token is not found.
DROP POLICY IF EXISTS lookup ON app.verification_tokens;
CREATE POLICY lookup ON app.verification_tokens
    FOR SELECT TO app_lookup
    USING (expires_at > now());

-- For app.purge_expired_logins: expired rows and nothing else.
DROP POLICY IF EXISTS maintenance ON app.verification_tokens;
CREATE POLICY maintenance ON app.verification_tokens
    FOR ALL TO app_maintenance
    USING (expires_at <= now())
    WITH CHECK (false);

REVOKE ALL ON TABLE app.verification_tokens FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.verification_tokens TO app_user;
GRANT INSERT (tenant_id, id, identifier, token_hash, expires_at) ON TABLE app.verification_tokens TO app_user;
GRANT UPDATE (expires_at) ON TABLE app.verification_tokens TO app_user;
GRANT SELECT (tenant_id, id, identifier, token_hash) ON TABLE app.verification_tokens TO app_lookup;
GRANT SELECT (tenant_id, id, expires_at), DELETE ON TABLE app.verification_tokens TO app_maintenance;
