-- role: probe_empty_app
-- expect: open-when-empty SELECT public.invoices
-- expect: open-when-empty INSERT public.invoices
-- expect: open-when-empty UPDATE public.invoices
-- expect: open-when-empty DELETE public.invoices
-- Closed while the setting is NULL, open for the '' that the first transaction leaves behind.
CREATE ROLE probe_empty_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (current_setting('app.current_tenant', true) = ''
        OR tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_empty_app;
