-- role: probe_take_app
-- expect: cross-tenant-read SELECT public.invoices
-- expect: row-taken-over UPDATE public.invoices
-- expect: cross-tenant-update UPDATE public.invoices
-- WITH CHECK alone: whatever the row was, it is the session's own afterwards.
CREATE ROLE probe_take_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON public.invoices FOR SELECT
    USING (note IS NOT NULL);
CREATE POLICY changeable ON public.invoices FOR UPDATE
    USING (true)
    WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, UPDATE ON public.invoices TO probe_take_app;
