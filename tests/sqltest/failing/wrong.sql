-- Each of these must fail: what it expects is not so on the intact schema.

-- test: sees others
-- as: A
-- expect: at least 1 row
SELECT * FROM shop.orders WHERE tenant_id <> :'A';

-- test: another error
-- as: A
-- expect: error 23505
INSERT INTO shop.orders (tenant_id, country, total) VALUES (:'B', 'FR', 1);

-- test: the message is another
-- as: A
-- expect: error 42501 permission denied
INSERT INTO shop.orders (tenant_id, country, total) VALUES (:'B', 'FR', 1);

-- test: no error at all
-- expect: error 42501
SELECT 1;

-- test: a misspelt table is no refusal
-- expect: error 42501
SELECT * FROM shop.order;

-- test: an earlier statement fails with what the last should
-- as: A
-- expect: error 42501
INSERT INTO shop.orders (tenant_id, country, total) VALUES (:'B', 'FR', 1);
SELECT 1;

-- test: other rows
-- as: nobody
-- expect: rows
--   FR | France
SELECT code, name FROM shop.countries;

-- test: another order
-- as: nobody
-- expect: rows in order
--   PT
--   FR
SELECT code FROM shop.countries ORDER BY code;

-- test: the role cannot be left
-- expect: 1 row
RESET ROLE;
SELECT rolname FROM pg_roles WHERE rolname = current_user AND rolsuper;
