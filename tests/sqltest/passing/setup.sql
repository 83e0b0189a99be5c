-- Besides the rows that rls-tool made: something to count.
INSERT INTO shop.countries VALUES ('XX', 'Nowhere');
INSERT INTO shop.orders (tenant_id, country, total) VALUES (:'A', 'XX', 12.50), (:'B', 'XX', 99);
