-- The same in plain SQL, for `rls-tool test examples/own_schema/isolation --role board_app …`

-- test: an organization sees its tasks
-- as: A
-- expect: at least 1 row
SELECT * FROM tasks;

-- test: and nobody else's
-- as: A
-- expect: no rows
SELECT * FROM tasks WHERE organization_id <> :'A';

-- test: no project for somebody else
-- as: A
-- expect: error 42501 row-level security
INSERT INTO projects (organization_id, title) VALUES (:'B', 'x');

-- test: nobody sees nothing
-- as: nobody
-- expect: no rows
SELECT * FROM projects;
