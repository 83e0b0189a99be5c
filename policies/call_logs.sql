-- Call logs: append-only for the application. created_at is not for it to set: it decides the partition.

SET LOCAL ROLE app_owner;

ALTER TABLE app.call_logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS tenant_isolation ON app.call_logs;
CREATE POLICY tenant_isolation ON app.call_logs
    FOR ALL TO app_user
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), ''));

REVOKE ALL ON TABLE app.call_logs FROM PUBLIC, app_user, app_lookup, app_maintenance;
GRANT SELECT ON TABLE app.call_logs TO app_user;
GRANT INSERT (tenant_id, id, process_version_id, api_key_id, request, input_hash, status, latency_ms)
    ON TABLE app.call_logs TO app_user;

-- A partition under its own name applies its own policies, not the parent's: row security on, no policy, no grant.
DO $partitions$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN
        SELECT t.relid FROM pg_catalog.pg_partition_tree('app.call_logs') t WHERE t.relid <> 'app.call_logs'::regclass
    LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
        EXECUTE pg_catalog.format(
            'REVOKE ALL ON TABLE %s FROM PUBLIC, app_user, app_lookup, app_maintenance', partition);
    END LOOP;
END
$partitions$;
