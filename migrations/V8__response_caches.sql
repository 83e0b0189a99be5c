-- Cached responses of processes, by the hash of their input.

SET LOCAL ROLE app_owner;

CREATE TABLE app.response_caches (
    tenant_id          text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id                 text COLLATE "C" NOT NULL DEFAULT app.new_id('cache'),
    process_version_id text COLLATE "C" NOT NULL,
    input_hash         bytea NOT NULL,
    output             jsonb NOT NULL,
    expires_at         timestamptz NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT response_caches_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT response_caches_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT response_caches_version_fkey FOREIGN KEY (tenant_id, process_version_id)
        REFERENCES app.process_versions (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT response_caches_id_format CHECK (id ~ '^cache_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT response_caches_hash_length CHECK (octet_length(input_hash) = 32),
    CONSTRAINT response_caches_input_key UNIQUE (tenant_id, process_version_id, input_hash)
);
CREATE INDEX response_caches_input_hash_idx ON app.response_caches (tenant_id, input_hash);
CREATE INDEX response_caches_tenant_expires_at_idx ON app.response_caches (tenant_id, expires_at);
-- For the purge across tenants.
CREATE INDEX response_caches_expires_at_idx ON app.response_caches (expires_at);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.response_caches
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();

-- Deletes expired responses, at most max_rows of them, and returns how many. Whose, row security decides: a bound
-- session purges its tenant's, app_maintenance everybody's.
CREATE FUNCTION app.purge_response_caches(max_rows bigint DEFAULT NULL) RETURNS bigint
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH expired AS (
        SELECT c.tenant_id, c.id
          FROM app.response_caches c
         WHERE c.expires_at <= now()
         ORDER BY c.expires_at
         LIMIT max_rows
    ), purged AS (
        DELETE FROM app.response_caches c
         USING expired e
         WHERE c.tenant_id = e.tenant_id AND c.id = e.id AND c.expires_at <= now()
        RETURNING c.id
    )
    SELECT count(*) FROM purged;
END;

-- The same for sessions and verification tokens.
CREATE FUNCTION app.purge_expired_logins() RETURNS bigint
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH s AS (
        DELETE FROM app.sessions WHERE expires_at <= now() RETURNING id
    ), v AS (
        DELETE FROM app.verification_tokens WHERE expires_at <= now() RETURNING id
    )
    SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM v);
END;

GRANT EXECUTE ON FUNCTION app.purge_response_caches(bigint), app.purge_expired_logins()
    TO app_user, app_maintenance;
