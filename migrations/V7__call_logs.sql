-- Call logs, a partition a month. Append-only for the application.
--
-- The application reaches partitions through app.call_logs alone: a partition queried by its own name would not
-- apply the parent's policies, so each has row security on, no policy and no grant.

SET LOCAL ROLE app_owner;

CREATE TABLE app.call_logs (
    tenant_id          text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id                 text COLLATE "C" NOT NULL DEFAULT app.new_id('call'),
    process_version_id text COLLATE "C" NOT NULL,
    api_key_id         text COLLATE "C",
    request            jsonb NOT NULL DEFAULT '{}',
    input_hash         bytea NOT NULL,
    status             smallint NOT NULL,
    latency_ms         integer NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT call_logs_pkey PRIMARY KEY (tenant_id, id, created_at),
    CONSTRAINT call_logs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT call_logs_version_fkey FOREIGN KEY (tenant_id, process_version_id)
        REFERENCES app.process_versions (tenant_id, id),
    CONSTRAINT call_logs_api_key_fkey FOREIGN KEY (tenant_id, api_key_id)
        REFERENCES app.api_keys (tenant_id, id),
    CONSTRAINT call_logs_id_format CHECK (id ~ '^call_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT call_logs_hash_length CHECK (octet_length(input_hash) = 32),
    CONSTRAINT call_logs_status_range CHECK (status BETWEEN 100 AND 599),
    CONSTRAINT call_logs_latency_range CHECK (latency_ms >= 0)
) PARTITION BY RANGE (created_at);
CREATE INDEX call_logs_created_at_idx ON app.call_logs (tenant_id, created_at);
CREATE INDEX call_logs_input_hash_idx ON app.call_logs (tenant_id, input_hash);
CREATE INDEX call_logs_version_idx ON app.call_logs (tenant_id, process_version_id, created_at);
CREATE INDEX call_logs_api_key_idx ON app.call_logs (tenant_id, api_key_id, created_at);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.call_logs
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();

-- Where a call lands that no month has a partition for: it is not lost, and moves when its month comes.
CREATE TABLE app.call_logs_default PARTITION OF app.call_logs DEFAULT;
ALTER TABLE app.call_logs_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- Makes the partitions of this month and the given number of months ahead, and returns how many were new. To be
-- called daily, say. SECURITY DEFINER, because only the owner can make tables; its one argument is a number.
CREATE FUNCTION app.make_call_log_partitions(months_ahead integer DEFAULT 3) RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET TimeZone = 'UTC'
AS $$
DECLARE
    this_month CONSTANT timestamptz := date_trunc('month', now());
    lower_bound timestamptz;
    upper_bound timestamptz;
    partition name;
    made integer := 0;
BEGIN
    IF months_ahead IS NULL OR months_ahead NOT BETWEEN 0 AND 120 THEN
        RAISE EXCEPTION 'months_ahead must be between 0 and 120' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- One at a time: the next one finds the partitions made.
    LOCK TABLE app.call_logs IN SHARE UPDATE EXCLUSIVE MODE;
    FOR month IN 0 .. months_ahead LOOP
        lower_bound := this_month + make_interval(months => month);
        upper_bound := this_month + make_interval(months => month + 1);
        partition := 'call_logs_' || to_char(lower_bound, 'YYYY_MM');
        CONTINUE WHEN to_regclass(format('app.%I', partition)) IS NOT NULL;

        EXECUTE format('CREATE TABLE app.%I (LIKE app.call_logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format('REVOKE ALL ON TABLE app.%I FROM PUBLIC, app_user, app_lookup, app_maintenance', partition);
        -- Calls of that month that came too early sit in the default partition, and would keep the new one from
        -- being attached. FORCE hides them from the owner too; nobody else sees it lifted, for this transaction
        -- holds the table until it commits.
        ALTER TABLE app.call_logs_default NO FORCE ROW LEVEL SECURITY;
        EXECUTE format(
            'WITH moved AS (DELETE FROM app.call_logs_default WHERE created_at >= $1 AND created_at < $2 RETURNING *)
             INSERT INTO app.%I SELECT * FROM moved', partition)
            USING lower_bound, upper_bound;
        ALTER TABLE app.call_logs_default FORCE ROW LEVEL SECURITY;
        EXECUTE format('ALTER TABLE app.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
        -- Row security is on before the partition is reachable. The rows' foreign keys were checked when they came.
        EXECUTE format('ALTER TABLE app.call_logs ATTACH PARTITION app.%I FOR VALUES FROM (%L) TO (%L)',
            partition, lower_bound, upper_bound);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- Drops the partitions whose every call is older than the given number of months, and returns how many.
CREATE FUNCTION app.drop_call_log_partitions(months_kept integer) RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET TimeZone = 'UTC'
AS $$
DECLARE
    oldest CONSTANT text := 'call_logs_' || to_char(now() - make_interval(months => months_kept), 'YYYY_MM');
    partition name;
    dropped integer := 0;
BEGIN
    IF months_kept IS NULL OR months_kept < 1 THEN
        RAISE EXCEPTION 'months_kept must be at least 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR partition IN
        SELECT c.relname
          FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'app.call_logs'::regclass
           AND c.relname ~ '^call_logs_\d{4}_\d{2}$'
           AND c.relname < oldest
         ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE app.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

SELECT app.make_call_log_partitions();

GRANT EXECUTE ON FUNCTION app.make_call_log_partitions(integer), app.drop_call_log_partitions(integer)
    TO app_maintenance;
