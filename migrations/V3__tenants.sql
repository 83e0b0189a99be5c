-- Tenants: the root. Every other table's tenant_id refers to tenants.id, whose CHECK makes '' and garbage impossible
-- as a tenant anywhere.

SET LOCAL ROLE app_owner;

CREATE TABLE app.tenants (
    id         text COLLATE "C" NOT NULL DEFAULT app.new_id('ten'),
    name       text NOT NULL,
    slug       text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,

    CONSTRAINT tenants_pkey PRIMARY KEY (id),
    CONSTRAINT tenants_id_format CHECK (id ~ '^ten_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT tenants_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT tenants_slug_format CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    -- The one name that all tenants share. A deleted tenant keeps its slug: it can be restored, and its address must
    -- not come to belong to somebody else meanwhile. DEFERRABLE, because such a constraint cannot be the target of ON
    -- CONFLICT: a tenant that inserts its own id once more fails at the primary key whatever the slug, so it cannot
    -- try out which slugs are taken.
    CONSTRAINT tenants_slug_key UNIQUE (slug) DEFERRABLE INITIALLY IMMEDIATE
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.tenants
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
