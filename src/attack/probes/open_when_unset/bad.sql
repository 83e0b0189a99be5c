-- role: probe_unset_app
-- expect: open-when-unset SELECT public.invoices
-- expect: open-when-unset INSERT public.invoices
-- expect: open-when-unset UPDATE public.invoices
-- expect: open-when-unset DELETE public.invoices
CREATE ROLE probe_unset_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (current_setting('app.current_tenant', true) IS NULL
        OR tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_unset_app;
