-- Processes of a tenant.

SET LOCAL ROLE app_owner;

ALTER TABLE app.processes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.processes;
CREATE POLICY tenant_isolation ON app.processes
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

REVOKE ALL ON TABLE app.processes FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.processes TO app_user;
GRANT INSERT (tenant_id, id, name, description) ON TABLE app.processes TO app_user;
GRANT UPDATE (name, description, deleted_at) ON TABLE app.processes TO app_user;
