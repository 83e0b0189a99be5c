-- Versions of processes. Which process, environment and number a version is, never changes.

SET LOCAL ROLE app_owner;

ALTER TABLE app.process_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.process_versions;
CREATE POLICY tenant_isolation ON app.process_versions
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

REVOKE ALL ON TABLE app.process_versions FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT, DELETE ON TABLE app.process_versions TO app_user;
GRANT INSERT (tenant_id, id, process_id, environment, version, input_schema, output_schema, config)
    ON TABLE app.process_versions TO app_user;
GRANT UPDATE (input_schema, output_schema, config, deleted_at) ON TABLE app.process_versions TO app_user;
