-- Orders of the shop: what one customer may do to another's.

-- test: a tenant sees its own orders
-- as: A
-- expect: at least 1 row
SELECT * FROM shop.orders;

-- test: and no others
-- as: A
-- expect: no rows
SELECT * FROM shop.orders WHERE tenant_id <> :'A';

-- test: both have one order to nowhere
-- as: B
-- expect: rows
--   XX | 99.00
SELECT country, total FROM shop.orders WHERE country = 'XX';

-- test: nobody sees nothing
-- as: nobody
-- expect: 0 rows
SELECT * FROM shop.orders;

-- test: nor does a tenant that is not there
-- as: '00000000-0000-0000-0000-000000000000'
-- expect: no rows
SELECT * FROM shop.orders;

-- test: garbage is an error, not a tenant
-- as: 'garbage; drop table'
-- expect: error 22P02 uuid
SELECT * FROM shop.orders;

-- test: no order for somebody else
-- as: A
-- expect: error 42501 row-level security
INSERT INTO shop.orders (tenant_id, country, total) VALUES (:'B', 'XX', 1);

-- test: an order of one's own, which the next test does not see
-- as: A
-- expect: rows in order
--   XX | 7.00
--   XX | 12.50
INSERT INTO shop.orders (country, total) VALUES ('XX', 7);
SELECT country, total FROM shop.orders WHERE country = 'XX' ORDER BY total;

-- test: it is gone again
-- expect: 1 row
SELECT * FROM shop.orders WHERE country = 'XX';

-- test: others' orders are not changed
-- as: A
-- expect: 0 affected
UPDATE shop.orders SET total = 0 WHERE tenant_id = :'B';

-- test: countries are everybody's
-- as: nobody
-- expect: rows
--   FR | France
--   PT | Portugal
--   XX | Nowhere
SELECT code, name FROM shop.countries WHERE code IN ('FR', 'PT', 'XX');
