-- Who logs in: the shape that Auth.js expects, one set a tenant. Tokens are stored as SHA-256 hashes.
--
-- As everywhere in this schema: the primary key leads with tenant_id, so that ids are unique per tenant and a
-- duplicate cannot tell one tenant about another's rows; foreign keys carry tenant_id, so that a row cannot point
-- into another tenant.

SET LOCAL ROLE app_owner;

CREATE TABLE app.users (
    tenant_id         text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id                text COLLATE "C" NOT NULL DEFAULT app.new_id('usr'),
    email             text COLLATE "C" NOT NULL,
    email_verified_at timestamptz,
    name              text,
    image             text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    deleted_at        timestamptz,

    CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT users_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT users_id_format CHECK (id ~ '^usr_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT users_email_format CHECK (email = lower(email) AND email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 320)
);
CREATE UNIQUE INDEX users_email_key ON app.users (tenant_id, email) WHERE deleted_at IS NULL;
-- For app.find_logins, which does not know the tenant yet.
CREATE INDEX users_email_lookup ON app.users (email) WHERE deleted_at IS NULL;

CREATE TABLE app.accounts (
    tenant_id           text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id                  text COLLATE "C" NOT NULL DEFAULT app.new_id('acc'),
    user_id             text COLLATE "C" NOT NULL,
    type                text NOT NULL,
    provider            text COLLATE "C" NOT NULL,
    provider_account_id text COLLATE "C" NOT NULL,
    refresh_token       text,
    access_token        text,
    expires_at          bigint,
    token_type          text,
    scope               text,
    id_token            text,
    session_state       text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT accounts_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT accounts_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT accounts_user_fkey FOREIGN KEY (tenant_id, user_id)
        REFERENCES app.users (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT accounts_id_format CHECK (id ~ '^acc_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT accounts_provider_key UNIQUE (tenant_id, provider, provider_account_id)
);
CREATE INDEX accounts_user_idx ON app.accounts (tenant_id, user_id);
-- For app.find_account.
CREATE INDEX accounts_provider_lookup ON app.accounts (provider, provider_account_id);
COMMENT ON COLUMN app.accounts.expires_at IS
    'When access_token expires, in seconds since 1970, as OAuth providers say it';

CREATE TABLE app.sessions (
    tenant_id  text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id         text COLLATE "C" NOT NULL DEFAULT app.new_id('ses'),
    user_id    text COLLATE "C" NOT NULL,
    token_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT sessions_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT sessions_user_fkey FOREIGN KEY (tenant_id, user_id)
        REFERENCES app.users (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT sessions_id_format CHECK (id ~ '^ses_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT sessions_token_hash_length CHECK (octet_length(token_hash) = 32),
    CONSTRAINT sessions_token_key UNIQUE (tenant_id, token_hash)
);
CREATE INDEX sessions_user_idx ON app.sessions (tenant_id, user_id);
CREATE INDEX sessions_expires_at_idx ON app.sessions (expires_at);
-- For app.find_session.
CREATE INDEX sessions_token_lookup ON app.sessions (token_hash);

CREATE TABLE app.verification_tokens (
    tenant_id  text COLLATE "C" NOT NULL DEFAULT app.current_tenant(),
    id         text COLLATE "C" NOT NULL DEFAULT app.new_id('vtk'),
    identifier text COLLATE "C" NOT NULL,
    token_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT verification_tokens_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT verification_tokens_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants (id),
    CONSTRAINT verification_tokens_id_format CHECK (id ~ '^vtk_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    CONSTRAINT verification_tokens_hash_length CHECK (octet_length(token_hash) = 32),
    CONSTRAINT verification_tokens_token_key UNIQUE (tenant_id, identifier, token_hash)
);
CREATE INDEX verification_tokens_expires_at_idx ON app.verification_tokens (expires_at);
-- For app.find_verification_token.
CREATE INDEX verification_tokens_lookup ON app.verification_tokens (token_hash);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.users
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.accounts
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.sessions
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.verification_tokens
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
