-- role: probe_setting_app
-- expect: open-to-a-setting SELECT public.invoices
-- expect: open-to-a-setting UPDATE public.invoices
-- expect: open-to-a-setting DELETE public.invoices
-- expect: open-to-a-setting INSERT public.invoices
CREATE ROLE probe_setting_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid
           OR current_setting('app.is_admin', true) = 'on');
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_setting_app;
