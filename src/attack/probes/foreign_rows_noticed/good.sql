-- role: probe_noticed_app
CREATE ROLE probe_noticed_app NOLOGIN;
CREATE TABLE public.tenants (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    note text
);
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.invoices
    USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO probe_noticed_app;
CREATE FUNCTION public.revenue() RETURNS numeric
    LANGUAGE sql STABLE SECURITY DEFINER
AS $$
    SELECT sum(amount) FROM public.invoices
     WHERE tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid
$$;
-- Reads as its owner, and asks for the tenant itself.
CREATE VIEW public.statistics WITH (security_barrier) AS
    SELECT avg(amount) AS mean, count(*) AS invoices FROM public.invoices
     WHERE tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid;
GRANT SELECT ON public.statistics TO probe_noticed_app;
