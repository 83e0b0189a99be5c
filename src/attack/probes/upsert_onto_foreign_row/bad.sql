-- role: probe_upsert_app
-- expect: row-given-away UPDATE public.invoices
-- expect: row-taken-over UPDATE public.invoices
-- expect: upsert-onto-foreign-row UPDATE public.invoices
-- expect: cross-tenant-update UPDATE public.invoices
-- expect: cross-tenant-read SELECT public.invoices
CREATE ROLE probe_upsert_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON public.invoices FOR SELECT
    USING (true);
CREATE POLICY addable ON public.invoices FOR INSERT
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
CREATE POLICY changeable ON public.invoices FOR UPDATE
    USING (true);
GRANT SELECT, INSERT, UPDATE ON public.invoices TO probe_upsert_app;
