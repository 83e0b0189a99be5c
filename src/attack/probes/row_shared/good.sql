-- role: probe_shared_app
CREATE ROLE probe_shared_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.templates (
    id uuid PRIMARY KEY,
    tenant_id uuid REFERENCES public.tenants (id),
    body text
);
ALTER TABLE public.templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.templates
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
CREATE POLICY shared ON public.templates FOR SELECT USING (tenant_id IS NULL);
GRANT SELECT, INSERT, UPDATE ON public.templates TO probe_shared_app;
