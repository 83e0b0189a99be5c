-- What must be found before the tenant is known: whose key, session, login or account is this?
--
-- SECURITY DEFINER functions of app_lookup, which is subject to row security like everybody: its own policies show it
-- live rows alone, its column grants nothing but what is compared and returned (policies/). They return ids only. The
-- bodies are bound to their objects when they are created, so that no search_path and no temporary table of a caller
-- can put others in their place.

-- A function's owner needs CREATE on its schema while it is made, and not after.
SET LOCAL ROLE app_owner;
GRANT CREATE ON SCHEMA app TO app_lookup;
SET LOCAL ROLE app_lookup;

-- The key with this SHA-256 hash: not expired, revoked or deleted, of a tenant that is not deleted. Nothing where two
-- tenants hold the same hash: a tenant that got hold of another's hash could otherwise pass for it.
CREATE FUNCTION app.find_api_key(key_hash bytea) RETURNS TABLE (api_key_id text, tenant_id text)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT min(k.id), min(k.tenant_id)
      FROM app.api_keys k
      JOIN app.tenants t ON t.id = k.tenant_id
     WHERE k.key_hash = find_api_key.key_hash
    HAVING count(*) = 1;
END;

-- The user of the session with this SHA-256 token hash: session not expired, user and tenant not deleted.
CREATE FUNCTION app.find_session(token_hash bytea) RETURNS TABLE (user_id text, tenant_id text)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT min(u.id), min(u.tenant_id)
      FROM app.sessions s
      JOIN app.users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
      JOIN app.tenants t ON t.id = s.tenant_id
     WHERE s.token_hash = find_session.token_hash
    HAVING count(*) = 1;
END;

-- The users with this e-mail address, one a tenant at most.
CREATE FUNCTION app.find_logins(email text) RETURNS TABLE (user_id text, tenant_id text)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 2
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.tenant_id
      FROM app.users u
      JOIN app.tenants t ON t.id = u.tenant_id
     WHERE u.email = lower(find_logins.email COLLATE "C")
     ORDER BY u.tenant_id;
END;

-- The users who log in through this account of an identity provider, one a tenant at most.
CREATE FUNCTION app.find_account(provider text, provider_account_id text)
    RETURNS TABLE (user_id text, tenant_id text)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 2
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.tenant_id
      FROM app.accounts a
      JOIN app.users u ON u.tenant_id = a.tenant_id AND u.id = a.user_id
      JOIN app.tenants t ON t.id = a.tenant_id
     WHERE a.provider = find_account.provider AND a.provider_account_id = find_account.provider_account_id
     ORDER BY u.tenant_id;
END;

-- The verification token with this identifier and SHA-256 hash, not expired.
CREATE FUNCTION app.find_verification_token(identifier text, token_hash bytea)
    RETURNS TABLE (verification_token_id text, tenant_id text)
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT min(v.id), min(v.tenant_id)
      FROM app.verification_tokens v
      JOIN app.tenants t ON t.id = v.tenant_id
     WHERE v.token_hash = find_verification_token.token_hash AND v.identifier = find_verification_token.identifier
    HAVING count(*) = 1;
END;

GRANT EXECUTE ON FUNCTION app.find_api_key(bytea), app.find_session(bytea), app.find_logins(text),
    app.find_account(text, text), app.find_verification_token(text, bytea) TO app_user;

SET LOCAL ROLE app_owner;
REVOKE CREATE ON SCHEMA app FROM app_lookup;
