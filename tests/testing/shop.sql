-- Tables of the shop, as its owner makes them; the role testing_shop is there already.
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO testing_shop;

CREATE FUNCTION shop.tenant() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT NULLIF(current_setting('app.current_tenant', true), '')::uuid $$;

CREATE TABLE shop.countries (code char(2) PRIMARY KEY, name text NOT NULL);
INSERT INTO shop.countries VALUES ('FR', 'France'), ('PT', 'Portugal');
GRANT SELECT ON shop.countries TO testing_shop;

CREATE TABLE shop.tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE shop.orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT shop.tenant() REFERENCES shop.tenants,
    country char(2) NOT NULL REFERENCES shop.countries,
    total numeric(10, 2) NOT NULL CHECK (total >= 0),
    UNIQUE (tenant_id, id)
);
CREATE TABLE shop.lines (
    order_id uuid NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    article text NOT NULL,
    PRIMARY KEY (order_id, number)
);
CREATE VIEW shop.totals WITH (security_barrier) AS SELECT tenant_id, total FROM shop.orders;

ALTER TABLE shop.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.tenants USING (id = shop.tenant());
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.orders USING (tenant_id = shop.tenant());
ALTER TABLE shop.lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.lines FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.lines
    USING (EXISTS (SELECT FROM shop.orders AS o WHERE o.id = order_id AND o.tenant_id = shop.tenant()));

GRANT SELECT, INSERT, UPDATE, DELETE ON shop.tenants, shop.orders, shop.lines TO testing_shop;
GRANT SELECT ON shop.totals TO testing_shop;
