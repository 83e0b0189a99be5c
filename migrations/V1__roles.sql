-- The four roles of the reference schema, and the schema itself.
--
--   app_owner        NOLOGIN  owns every object; nobody works as it but the migrator
--   app_user         LOGIN    the application: subject to row security, owns nothing
--   app_lookup       NOLOGIN  owns the lookup functions that run before the tenant is known
--   app_maintenance  NOLOGIN  housekeeping across tenants, through narrow policies of its own
--
-- Run by a migrator with LOGIN CREATEROLE and CREATE on the database, or by a superuser. Roles belong to the whole
-- cluster: they may exist already, and other databases may be creating them at this moment.

DO $roles$
DECLARE
    wanted CONSTANT text[] := ARRAY['app_owner', 'app_user', 'app_lookup', 'app_maintenance'];
    item text;
    reason text;
BEGIN
    FOREACH item IN ARRAY wanted LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = item);
        BEGIN
            EXECUTE pg_catalog.format(
                'CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS',
                item, CASE item WHEN 'app_user' THEN 'LOGIN' ELSE 'NOLOGIN' END);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            -- Another database's migration was faster. What it made is judged below like any role found here.
            NULL;
        END;
    END LOOP;

    -- A role found here was made by somebody else: with more power than ours, nothing below would protect anything.
    SELECT pg_catalog.format('role %I %s', r.rolname, concat_ws(' and ',
               CASE WHEN r.rolsuper THEN 'is a superuser' END,
               CASE WHEN r.rolbypassrls THEN 'has BYPASSRLS' END,
               CASE WHEN r.rolcreaterole THEN 'has CREATEROLE' END,
               CASE WHEN r.rolreplication THEN 'has REPLICATION' END,
               CASE WHEN r.rolcanlogin AND r.rolname <> 'app_user' THEN 'can log in' END))
      INTO reason
      FROM pg_catalog.pg_roles r
     WHERE r.rolname = ANY (wanted)
       AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication
            OR (r.rolcanlogin AND r.rolname <> 'app_user'))
     ORDER BY r.rolname
     LIMIT 1;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = reason || ': row security would not hold',
            HINT = 'Take the attribute away with ALTER ROLE, or drop the role, and migrate again.';
    END IF;

    -- What app_user is a member of, it can become.
    SELECT pg_catalog.format('role app_user is a member of %I', r.rolname)
      INTO reason
      FROM pg_catalog.pg_roles r
     WHERE r.rolname <> 'app_user'
       AND pg_catalog.pg_has_role('app_user', r.oid, 'MEMBER')
       AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolname = ANY (wanted)
            OR r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_execute_server_program',
                             'pg_read_server_files', 'pg_write_server_files'))
     ORDER BY r.rolname
     LIMIT 1;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = reason || ': row security would not hold',
            HINT = 'REVOKE the membership and migrate again.';
    END IF;

    -- The owner of a database can open it to anybody.
    SELECT pg_catalog.format('role app_user owns database %I', d.datname)
      INTO reason
      FROM pg_catalog.pg_database d
     WHERE d.datname = pg_catalog.current_database()
       AND d.datdba = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'app_user');
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = reason || ': row security would not hold',
            HINT = 'Give it to another role with ALTER DATABASE … OWNER TO and migrate again.';
    END IF;

    -- A tenant pinned to the role is a tenant that every forgotten binding falls back to.
    SELECT pg_catalog.format('ALTER ROLE/DATABASE … SET pins %s', s.entry)
      INTO reason
      FROM pg_catalog.pg_db_role_setting d
     CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS s (entry)
     WHERE d.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'app_user'))
       AND d.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
       AND pg_catalog.lower(s.entry) LIKE 'app.current\_tenant=%'
     LIMIT 1;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = reason || ': a session that binds no tenant would see that one',
            HINT = 'RESET the setting with ALTER ROLE or ALTER DATABASE and migrate again.';
    END IF;
END
$roles$;

-- The migrator acts as app_owner and app_lookup. Until PostgreSQL 15 CREATEROLE suffices to grant that to itself; from
-- 16 on the creator of a role may grant it (ADMIN) but does not hold it.
DO $membership$
DECLARE
    role_name text;
    held text := CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000
                      THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['app_owner', 'app_lookup'] LOOP
        FOR attempt IN 1 .. 10 LOOP
            -- A superuser holds every role already.
            EXIT WHEN pg_catalog.pg_has_role(role_name, held);
            BEGIN
                EXECUTE pg_catalog.format('GRANT %I TO %I', role_name, current_user)
                    || CASE held WHEN 'SET' THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
            EXCEPTION
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION USING
                        ERRCODE = 'insufficient_privilege',
                        MESSAGE = pg_catalog.format(
                            'role %I exists, and %I may not act as it', role_name, current_user),
                        HINT = pg_catalog.format(
                            'As the role that created it or as superuser: GRANT app_owner, app_lookup TO %I;',
                            current_user);
                WHEN unique_violation OR internal_error THEN
                    -- The same migrator is at work in another database ("tuple concurrently updated").
                    IF attempt = 10 THEN RAISE; END IF;
            END;
        END LOOP;
    END LOOP;
END
$membership$;

CREATE SCHEMA app AUTHORIZATION app_owner;

SET LOCAL ROLE app_lookup;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

SET LOCAL ROLE app_owner;
-- Without IN SCHEMA: PostgreSQL's own grants to PUBLIC can only be taken back globally.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
GRANT USAGE ON SCHEMA app TO app_user, app_lookup, app_maintenance;
COMMENT ON SCHEMA app IS 'Multi-tenant API platform: the reference schema of rls-tool';
