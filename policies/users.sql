-- Users of a tenant.

SET LOCAL ROLE app_owner;

ALTER TABLE app.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.users;
CREATE POLICY tenant_isolation ON app.users
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

-- For the lookup functions: a deleted user is not found.
DROP POLICY IF EXISTS lookup ON app.users;
CREATE POLICY lookup ON app.users
    FOR SELECT TO app_lookup
    USING (deleted_at IS NULL);

REVOKE ALL ON TABLE app.users FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.users TO app_user;
GRANT INSERT (tenant_id, id, email, email_verified_at, name, image) ON TABLE app.users TO app_user;
GRANT UPDATE (email, email_verified_at, name, image, deleted_at) ON TABLE app.users TO app_user;
GRANT SELECT (tenant_id, id, email) ON TABLE app.users TO app_lookup;
