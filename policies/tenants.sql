-- The root: a tenant is its own row. A session may create the tenant that it is bound to (sign-up: the application
-- makes an id, binds it and inserts), and never delete one; the slug is for the operator to change.

SET LOCAL ROLE app_owner;

ALTER TABLE app.tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.tenants;
CREATE POLICY tenant_isolation ON app.tenants
    FOR ALL TO app_user
    USING (id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (id = nullif(current_setting('app.current_tenant', true), ''));

-- For the lookup functions: a deleted tenant is not found.
DROP POLICY IF EXISTS lookup ON app.tenants;
CREATE POLICY lookup ON app.tenants
    FOR SELECT TO app_lookup
    USING (deleted_at IS NULL);

REVOKE ALL ON TABLE app.tenants FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT ON TABLE app.tenants TO app_user;
GRANT INSERT (id, name, slug) ON TABLE app.tenants TO app_user;
GRANT UPDATE (name, deleted_at) ON TABLE app.tenants TO app_user;
GRANT SELECT (id) ON TABLE app.tenants TO app_lookup;
