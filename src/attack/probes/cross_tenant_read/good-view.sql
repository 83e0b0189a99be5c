-- role: probe_view_app
CREATE ROLE probe_view_app NOLOGIN;
CREATE ROLE probe_view_owner NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.tenants OWNER TO probe_view_owner;
ALTER TABLE public.invoices OWNER TO probe_view_owner;
ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.tenants
    USING (id = nullif(current_setting('app.current_tenant', true), '')::uuid);
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_view_app;
-- Read and write as an owner whom row security holds.
CREATE VIEW public.open_invoices AS SELECT * FROM public.invoices WHERE amount > 0;
CREATE VIEW public.renamed AS SELECT i.id AS "Invoice", upper(i.note) || '' AS remark, t.name AS customer
    FROM public.invoices AS i JOIN public.tenants AS t ON t.id = i.tenant_id;
ALTER VIEW public.open_invoices OWNER TO probe_view_owner;
ALTER VIEW public.renamed OWNER TO probe_view_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.open_invoices TO probe_view_app;
GRANT SELECT ON public.renamed TO probe_view_app;
