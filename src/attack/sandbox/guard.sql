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
