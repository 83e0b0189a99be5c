-- role: probe_view_app
-- expect: cross-tenant-read SELECT public.open_invoices
-- expect: cross-tenant-read SELECT public.renamed
-- expect: cross-tenant-update UPDATE public.open_invoices
-- expect: row-given-away UPDATE public.open_invoices
-- expect: row-taken-over UPDATE public.open_invoices
-- expect: upsert-onto-foreign-row UPDATE public.open_invoices
-- expect: cross-tenant-insert INSERT public.open_invoices
-- expect: cross-tenant-delete DELETE public.open_invoices
-- expect: cross-tenant-read SELECT public.kept
-- Views read and write as their owner, whom row security does not hold; a materialized view holds what its owner saw.
CREATE ROLE probe_view_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_view_app;
CREATE VIEW public.open_invoices WITH (security_barrier) AS SELECT * FROM public.invoices WHERE amount > 0;
CREATE VIEW public.renamed AS SELECT i.id AS "Invoice", upper(i.note) || '' AS remark, t.name AS customer
    FROM public.invoices AS i JOIN public.tenants AS t ON t.id = i.tenant_id;
CREATE MATERIALIZED VIEW public.kept AS SELECT * FROM public.invoices;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.open_invoices TO probe_view_app;
GRANT SELECT ON public.renamed, public.kept TO probe_view_app;
