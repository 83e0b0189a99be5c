-- What benches/policy_forms.rs measures on: 1M rows of 1000 tenants, shaped like a table of the reference schema.

SET client_min_messages = warning;
CREATE ROLE bench_app LOGIN;
CREATE ROLE bench_plain LOGIN BYPASSRLS;
CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO bench_app, bench_plain;

CREATE TABLE bench.items (
    tenant_id  text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    amount     integer NOT NULL,
    note       text NOT NULL DEFAULT repeat('x', 60),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
-- Tenants lie scattered over the table, as they do when everybody writes at once.
INSERT INTO bench.items (tenant_id, id, amount)
SELECT 'ten_' || lpad((n % 1000)::text, 26, '0'), 'usr_' || lpad(((n % 1000) * 1000 + n / 1000)::text, 26, '0'), n % 97
  FROM generate_series(0, 999999) n;
ALTER TABLE bench.items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON bench.items TO bench_app, bench_plain;

CREATE FUNCTION bench.inlined_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.current_tenant', true), '');
CREATE FUNCTION bench.set_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    RETURN nullif(current_setting('app.current_tenant', true), '');
CREATE FUNCTION bench.plpgsql_tenant() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$ BEGIN RETURN nullif(current_setting('app.current_tenant', true), ''); END $$;
