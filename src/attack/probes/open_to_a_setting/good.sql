-- role: probe_setting_app
CREATE ROLE probe_setting_app NOLOGIN;
CREATE ROLE probe_setting_staff NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid
           AND coalesce(current_setting('app.is_admin', true), '') <> 'never');
CREATE POLICY staff ON public.invoices TO probe_setting_staff USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_setting_app, probe_setting_staff;
