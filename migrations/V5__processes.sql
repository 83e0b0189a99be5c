-- Processes (what a tenant offers as an API) and their versions.

SET LOCAL ROLE app_owner;

CREATE TABLE app.processes (
    tenant_id   text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id          text COLLATE "C" NOT NULL DEFAULT app.new_id('proc'),
    name        text NOT NULL,
    description text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,

    CONSTRAINT processes_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT processes_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT processes_id_format CHECK (id ~ '^proc_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT processes_name_length CHECK (length(name) BETWEEN 1 AND 200)
);
CREATE UNIQUE INDEX processes_name_key ON app.processes (tenant_id, name) WHERE deleted_at IS NULL;

CREATE TABLE app.process_versions (
    tenant_id     text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id            text COLLATE "C" NOT NULL DEFAULT app.new_id('pver'),
    process_id    text COLLATE "C" NOT NULL,
    environment   app.environment NOT NULL,
    version       integer NOT NULL,
    input_schema  jsonb NOT NULL DEFAULT '{}',
    output_schema jsonb NOT NULL DEFAULT '{}',
    config        jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,

    CONSTRAINT process_versions_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT process_versions_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT process_versions_process_fkey FOREIGN KEY (tenant_id, process_id)
        REFERENCES app.processes (tenant_id, id),
    CONSTRAINT process_versions_id_format CHECK (id ~ '^pver_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT process_versions_version_positive CHECK (version > 0),
    CONSTRAINT process_versions_json_objects CHECK (jsonb_typeof(input_schema) = 'object'
        AND jsonb_typeof(output_schema) = 'object' AND jsonb_typeof(config) = 'object'),
    -- A number is never given twice, not even after the version that had it was deleted: calls refer to it.
    CONSTRAINT process_versions_version_key UNIQUE (tenant_id, process_id, environment, version)
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.processes
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.process_versions
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
