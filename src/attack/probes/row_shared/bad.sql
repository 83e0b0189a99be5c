-- role: probe_shared_app
-- expect: row-shared INSERT public.templates
-- expect: row-shared UPDATE public.templates
CREATE ROLE probe_shared_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.templates (
    id uuid PRIMARY KEY,
    tenant_id uuid REFERENCES public.tenants (id),
    body text
);
ALTER TABLE public.templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.templates
    USING (tenant_id IS NULL OR tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON public.templates TO probe_shared_app;
