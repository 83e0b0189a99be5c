-- Typed ids, the bound tenant, and the enum and trigger that several tables share.

SET LOCAL ROLE app_owner;

-- A new TypeID of version 0.3: prefix, '_', and 26 characters of base32 over a UUIDv7 (RFC 9562). PostgreSQL has
-- uuidv7() from 18 on only, so the time goes over the first 48 bits of a random UUID and 7 over its version.
-- clock_timestamp(), so that the ids of one transaction sort as well; the library's ids are made the same way.
CREATE FUNCTION app.new_id(prefix text) RETURNS text
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    alphabet CONSTANT text := '0123456789abcdefghjkmnpqrstvwxyz';
    millis CONSTANT bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
    random CONSTANT text := replace(gen_random_uuid()::text, '-', '');
    bits bit(130);
    suffix text := '';
BEGIN
    IF prefix !~ '^[a-z]([a-z_]{0,61}[a-z])?$' THEN
        RAISE EXCEPTION 'a TypeID cannot have the prefix %', quote_literal(prefix)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- 128 bits fill 26 characters but for two bits, which are 0 in front.
    bits := B'00' || ('x' || lpad(to_hex(millis), 12, '0') || '7' || substr(random, 14))::bit(128);
    FOR i IN 0 .. 25 LOOP
        suffix := suffix || substr(alphabet, 1 + substring(bits FROM 1 + 5 * i FOR 5)::integer, 1);
    END LOOP;
    RETURN prefix || '_' || suffix;
END
$$;

-- The tenant that this transaction is bound to; NULL when it is bound to none, also where an earlier transaction on
-- this connection left '' behind. No SET clause, so that the planner inlines it; a body in this form is bound to its
-- objects when it is created, whatever the caller's search_path.
CREATE FUNCTION app.current_tenant() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.current_tenant', true), '');

CREATE FUNCTION app.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TYPE app.environment AS ENUM ('SANDBOX', 'PRODUCTION');

GRANT EXECUTE ON FUNCTION app.new_id(text), app.current_tenant() TO app_user;
GRANT USAGE ON TYPE app.environment TO app_user;
