-- API keys. The key itself is shown to its owner once and never stored: only its SHA-256 hash is.

SET LOCAL ROLE app_owner;

CREATE TABLE app.api_keys (
    tenant_id    text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id           text COLLATE "C" NOT NULL DEFAULT app.new_id('key'),
    name         text NOT NULL,
    key_hash     bytea NOT NULL,
    scopes       text[] NOT NULL DEFAULT '{}',
    environment  app.environment NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    deleted_at   timestamptz,

    CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT api_keys_id_format CHECK (id ~ '^key_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT api_keys_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT api_keys_hash_length CHECK (octet_length(key_hash) = 32),
    -- Per tenant, so that a duplicate tells nothing about other tenants. app.find_api_key answers nothing where two
    -- tenants hold the same hash, which chance never brings about.
    CONSTRAINT api_keys_hash_key UNIQUE (tenant_id, key_hash)
);
CREATE UNIQUE INDEX api_keys_name_key ON app.api_keys (tenant_id, name) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_expires_at_idx ON app.api_keys (expires_at) WHERE expires_at IS NOT NULL;
-- For app.find_api_key.
CREATE INDEX api_keys_hash_lookup ON app.api_keys (key_hash);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.api_keys
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
