-- Makes COMMIT impossible: a deferred foreign key is already violated. Temporary tables also rule out
-- PREPARE TRANSACTION. Undone with everything else by the rollback.
CREATE TEMP TABLE rls_tool_guard_key (id integer PRIMARY KEY);
CREATE TEMP TABLE rls_tool_guard (
    id integer REFERENCES pg_temp.rls_tool_guard_key DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO pg_temp.rls_tool_guard VALUES (1);
-- Counts the rows that a policy lets a statement reach, without touching them.
CREATE TEMP SEQUENCE rls_tool_counter;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE pg_temp.rls_tool_counter TO PUBLIC;
-- A function that tells what it is handed, cheap enough to be asked before anything else. PL/pgSQL, so not inlined.
CREATE FUNCTION pg_temp.rls_tool_leak(mine boolean) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS 'BEGIN IF mine THEN PERFORM 1 / 0; END IF; RETURN false; END';
-- The same for a value of any type: nothing in the call costs anything, so that it is asked before the cheapest condition.
CREATE FUNCTION pg_temp.rls_tool_peek(value anyelement, wanted text[]) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS 'BEGIN IF EXISTS (SELECT FROM unnest(wanted) AS x WHERE strpos(value::text, x) > 0) THEN PERFORM 1 / 0; END IF;
        RETURN false; END';
